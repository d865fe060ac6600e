using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace FunctionsBackup.Tests.Servers;

/// <summary>Checks tokens as a LiveKit server does.</summary>
internal static class LiveKitToken
{
    /// <summary>The claims of a good token.</summary>
    public static JsonElement Check(string authorization, string key, string secret)
    {
        if (!authorization.StartsWith("Bearer ", StringComparison.Ordinal)) throw Denied("permissions denied");
        var parts = authorization["Bearer ".Length..].Split('.');
        if (parts.Length != 3) throw Denied("invalid authorization token");
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"));
        var header = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[0])).RootElement;
        if (header.GetProperty("alg").GetString() != "HS256" || !signature.AsSpan().SequenceEqual(Base64Url.DecodeFromChars(parts[2])))
            throw Denied("invalid token: signature");
        var claims = JsonDocument.Parse(Base64Url.DecodeFromChars(parts[1])).RootElement;
        if (claims.GetProperty("iss").GetString() != key) throw Denied("invalid API key");
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        if (claims.GetProperty("exp").GetInt64() <= now || claims.GetProperty("nbf").GetInt64() > now) throw Denied("invalid token: validity");
        if (claims.GetProperty("exp").GetInt64() > now + 600) throw Denied("a token of a backup is to be valid for ten minutes at most");
        return claims;
    }

    /// <summary>The one right that the call needs; more than that is refused, too: tokens are to permit no more than they must.</summary>
    public static void Require(JsonElement claims, string section, string right, string? room = null)
    {
        var sections = claims.EnumerateObject().Where(p => p.Name is "video" or "sip" or "agent").ToList();
        if (sections.Count != 1 || sections[0].Name != section) throw Denied("permissions denied");
        var rights = sections[0].Value.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString());
        if (rights.GetValueOrDefault(right) != "True" || rights.GetValueOrDefault("room") != room || rights.Count != (room is null ? 1 : 2))
            throw Denied("permissions denied");
    }

    private static LiveKitServer.Refusal Denied(string message) => new(401, "unauthenticated", message);
}
