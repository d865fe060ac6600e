using System.Net;
using System.Text.Json;

namespace FunctionsBackup.Components.LiveKit.Twirp;

/// <summary>Reads the errors of Twirp: <c>{"code","msg","meta"}</c> with an HTTP status. The bytes are a stranger's.</summary>
internal static class TwirpError
{
    private const int MaximumText = 200;

    /// <summary>Its code, and its message on one line.</summary>
    public static (string Code, string Text) Read(byte[]? body, HttpStatusCode status)
    {
        try
        {
            using var document = JsonDocument.Parse(body ?? []);
            if (document.RootElement is { ValueKind: JsonValueKind.Object } root && Text(root, "code") is { Length: > 0 and <= 40 } code
                && code.All(c => c is '_' or (>= 'a' and <= 'z')))
            {
                var text = Shown(Text(root, "msg") ?? "");
                // LiveKit's own sentence for services without Redis has no code of its own.
                if (code == "internal" && text.Contains("redis required", StringComparison.OrdinalIgnoreCase)) code = "not_connected";
                return (code, text.Length == 0 ? "it gives no reason" : text);
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // What stands in front of the server answers otherwise.
        }

        return (CodeOf(status), $"HTTP {(int)status}");
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static string Shown(string text) => new([.. text.Take(MaximumText).Select(c => char.IsControl(c) ? ' ' : c)]);

    private static string CodeOf(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized => "unauthenticated",
        HttpStatusCode.Forbidden => "permission_denied",
        HttpStatusCode.NotFound => "bad_route",
        HttpStatusCode.TooManyRequests => "resource_exhausted",
        HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable => "unavailable",
        HttpStatusCode.GatewayTimeout => "deadline_exceeded",
        _ => "unknown",
    };
}
