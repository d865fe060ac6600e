using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using FunctionsBackup.Components.LiveKit.Access;

namespace FunctionsBackup.Components.LiveKit.Journal;

/// <summary>
/// Checks that a webhook is from a holder of the API secret, and whole: its <c>Authorization</c> is a JWT (HS256) that names the key, is valid now, and has
/// the SHA-256 of the body (LiveKit, Webhooks: "validate").
/// </summary>
public sealed class WebhookVerifier(LiveKitConnection connection, TimeProvider time)
{
    private const int MaximumToken = 8 << 10;

    /// <summary>Clocks differ a little.</summary>
    private static readonly TimeSpan Leeway = TimeSpan.FromMinutes(1);

    /// <returns>Null: it is good; else why not, which is for our own log: strangers are told nothing.</returns>
    public string? FindProblem(string authorization, ReadOnlySpan<byte> body)
    {
        const string bearer = "Bearer ";
        var token = authorization.StartsWith(bearer, StringComparison.OrdinalIgnoreCase) ? authorization[bearer.Length..] : authorization;
        if (token.Length is 0 or > MaximumToken || token.Split('.') is not [var header, var claims, var signature]) return "it has no token";
        try
        {
            // The signature first: nothing else is read of what a stranger sends.
            var expected = HMACSHA256.HashData(Encoding.UTF8.GetBytes(connection.ApiSecret), Encoding.ASCII.GetBytes($"{header}.{claims}"));
            if (!CryptographicOperations.FixedTimeEquals(expected, Base64Url.DecodeFromChars(signature))) return "its signature is wrong";
            using var head = JsonDocument.Parse(Base64Url.DecodeFromChars(header));
            if (Text(head.RootElement, "alg") != "HS256") return "its token is not signed with HS256";
            using var said = JsonDocument.Parse(Base64Url.DecodeFromChars(claims));
            return FindProblem(said.RootElement, body);
        }
        catch (Exception e) when (e is FormatException or JsonException or InvalidOperationException)
        {
            return "its token cannot be read";
        }
    }

    private string? FindProblem(JsonElement claims, ReadOnlySpan<byte> body)
    {
        var now = time.GetUtcNow();
        if (Text(claims, "iss") != connection.ApiKey) return "its token is of another key";
        if (Seconds(claims, "exp") is not { } expires || now.ToUnixTimeSeconds() - (long)Leeway.TotalSeconds > expires) return "its token has expired";
        if (Seconds(claims, "nbf") is { } begins && begins > now.ToUnixTimeSeconds() + (long)Leeway.TotalSeconds) return "its token is not valid yet";
        var expected = new byte[SHA256.HashSizeInBytes];
        var isHash = Convert.TryFromBase64String(Text(claims, "sha256"), expected, out var length) && length == expected.Length;
        return isHash && CryptographicOperations.FixedTimeEquals(expected, SHA256.HashData(body)) ? null : "its body is not the one that was signed";
    }

    private static string Text(JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";

    private static long? Seconds(JsonElement json, string name) =>
        json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var seconds) ? seconds : null;
}
