using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.LiveKit.Journal;

/// <summary>One event that a server told by webhook.</summary>
/// <param name="Id">Unique; the same event may be told several times.</param>
/// <param name="Name"><c>room_started</c>, <c>egress_ended</c>, and so on.</param>
/// <param name="CreatedAt">By the server's clock, in seconds: the order of events.</param>
/// <param name="Json">All of it, as it came.</param>
public sealed record JournalEvent(string Id, string Name, DateTimeOffset CreatedAt, JsonObject Json)
{
    private const int MaximumText = 200;
    private static readonly JsonDocumentOptions Limits = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>The name of the room that it is about; empty: none.</summary>
    public string Room => Field("room") is { } room ? Text(room, "name")
        : (Field("egressInfo") ?? Field("egress_info") ?? Field("ingressInfo") ?? Field("ingress_info")) is { } info ? Text(info, "roomName", "room_name") : "";

    /// <summary>Null: it is no event of LiveKit.</summary>
    public static JournalEvent? Parse(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Limits);
            if (JsonObject.Create(document.RootElement.Clone()) is not { } json) return null;
            var (id, name, created) = (Text(json, "id"), Text(json, "event"), json["createdAt"] ?? json["created_at"]);
            if (id.Length is 0 or > MaximumText || name.Length is 0 or > MaximumText
                || !long.TryParse(created?.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds > 253_402_300_799)
                return null;
            return new JournalEvent(id, name, DateTimeOffset.FromUnixTimeSeconds(seconds), json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private JsonObject? Field(string name) => Json[name] as JsonObject;

    private static string Text(JsonObject json, params string[] names) =>
        names.Select(n => json[n]).OfType<JsonValue>().FirstOrDefault(v => v.GetValueKind() == JsonValueKind.String)?.GetValue<string>() ?? "";
}
