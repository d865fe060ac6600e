using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.LiveKit.Access;

/// <summary>Signs a token for each call: JWT with HS256 (RFC 7519, RFC 7518 §3.2), valid for minutes.</summary>
public sealed class TokenMinter(LiveKitConnection connection, TimeProvider time)
{
    /// <summary>How long a token is valid: a call has a time limit far below.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(5);

    /// <summary>Clocks differ a little.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromSeconds(30);

    private static readonly string Header = Base64Url.EncodeToString("""{"alg":"HS256","typ":"JWT"}"""u8);

    /// <returns>The compact form, for <c>Authorization: Bearer</c>.</returns>
    public string Mint(LiveKitGrant grant)
    {
        var now = time.GetUtcNow();
        var claims = new JsonObject
        {
            ["iss"] = connection.ApiKey,
            ["sub"] = "fbackup",
            ["nbf"] = (now - Leeway).ToUnixTimeSeconds(),
            ["exp"] = (now + Lifetime).ToUnixTimeSeconds(),
        };
        grant.AddTo(claims);
        var signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims.ToJsonString()))}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(connection.ApiSecret), Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}
