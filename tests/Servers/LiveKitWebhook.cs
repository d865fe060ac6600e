using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Tests.Servers;

/// <summary>Signs events as a LiveKit server does.</summary>
public static class LiveKitWebhook
{
    /// <summary>The value of <c>Authorization</c>.</summary>
    public static string Sign(
        string body, string key = LiveKitServer.ApiKey, string secret = LiveKitServer.ApiSecret, int validSeconds = 300, int beginsSeconds = 0, string algorithm = "HS256")
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var header = Part(new JsonObject { ["alg"] = algorithm, ["typ"] = "JWT" });
        var claims = Part(new JsonObject
        {
            ["iss"] = key, ["nbf"] = now + beginsSeconds, ["exp"] = now + validSeconds, ["sha256"] = Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(body))),
        });
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes($"{header}.{claims}"));
        return $"{header}.{claims}.{Base64Url.EncodeToString(signature)}";
    }

    /// <summary>An event as its body.</summary>
    public static string Event(string id, string name, long createdAt, string more = "\"room\":{\"sid\":\"RM_a\",\"name\":\"lobby\"}") =>
        $$"""{"event":"{{name}}",{{more}},"id":"{{id}}","createdAt":"{{createdAt}}"}""";

    private static string Part(JsonObject json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json.ToJsonString()));
}
