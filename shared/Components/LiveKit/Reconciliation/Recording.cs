using System.Globalization;
using System.Text.Json;

namespace FunctionsBackup.Components.LiveKit.Reconciliation;

/// <summary>A recording that an egress says it wrote.</summary>
/// <param name="EgressId">Of the egress.</param>
/// <param name="Room">Name of the room.</param>
/// <param name="FileName">The path that was asked for.</param>
/// <param name="Location">Where it went: an address or a path; empty if it is not told.</param>
/// <param name="Size">Bytes; null: not told, or of a playlist.</param>
/// <param name="EndedAt">When it was complete.</param>
public sealed record Recording(string EgressId, string Room, string FileName, string Location, long? Size, DateTimeOffset EndedAt)
{
    /// <summary>The files and playlists of one <c>EgressInfo</c>; none while it is going on, or if it failed without a result.</summary>
    public static IReadOnlyList<Recording> Of(JsonElement egress)
    {
        // Unix time in nanoseconds, as text; 0: it is going on.
        if (egress.ValueKind != JsonValueKind.Object || Number(egress, "ended_at") is not { } ended || ended <= 0) return [];
        var at = DateTimeOffset.UnixEpoch.AddTicks(Math.Clamp(ended / 100, 0, TimeSpan.TicksPerDay * 365 * 400));
        var (id, room) = (Text(egress, "egress_id"), Text(egress, "room_name"));
        var files = Items(egress, "file_results").ToList();
        if (files.Count == 0 && Find(egress, "file") is { } file && file.ValueKind == JsonValueKind.Object) files.Add(file); // old servers
        return
        [
            .. files.Where(f => Text(f, "filename").Length > 0).Select(
                f => new Recording(id, room, Text(f, "filename"), Text(f, "location"), Number(f, "size") is > 0 and var size ? size : null, at)),
            .. Items(egress, "segment_results").Where(s => Text(s, "playlist_name").Length > 0).Select(
                s => new Recording(id, room, Text(s, "playlist_name"), Text(s, "playlist_location"), null, at)),
        ];
    }

    private static IEnumerable<JsonElement> Items(JsonElement egress, string name) =>
        Find(egress, name) is { } items && items.ValueKind == JsonValueKind.Array
            ? items.EnumerateArray().Where(i => i.ValueKind == JsonValueKind.Object)
            : [];

    private static string Text(JsonElement item, string name) =>
        Find(item, name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : "";

    private static long? Number(JsonElement item, string name) => Find(item, name) is { } value ? value.ValueKind switch
    {
        JsonValueKind.String when long.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number) => number,
        JsonValueKind.Number when value.TryGetInt64(out var number) => number,
        _ => null,
    } : null;

    /// <summary>Calls answer with proto names, webhooks with those of JavaScript: <c>ended_at</c>, <c>endedAt</c>.</summary>
    private static JsonElement? Find(JsonElement item, string name)
    {
        if (item.TryGetProperty(name, out var value)) return value;
        var parts = name.Split('_');
        var camel = parts[0] + string.Concat(parts.Skip(1).Select(p => char.ToUpperInvariant(p[0]) + p[1..]));
        return item.TryGetProperty(camel, out value) ? value : null;
    }
}
