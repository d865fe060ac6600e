using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.LiveKit.Restore;

/// <summary>
/// Starts a recording again that was going on, as it was asked for, into new files. Credentials of storage and addresses of streams are told without
/// their secrets, so that only what goes to the server's own storage can be started.
/// </summary>
internal sealed record EgressRestart(string Call, JsonObject Body)
{
    private static readonly (string Field, string Call)[] Requests =
    [
        ("room_composite", "Egress/StartRoomCompositeEgress"), ("web", "Egress/StartWebEgress"), ("participant", "Egress/StartParticipantEgress"),
    ];

    private static readonly string[] Storages = ["s3", "gcp", "azure", "aliOSS", "alioss", "ali_oss"];
    private static readonly string[] Outputs = ["file", "file_outputs", "segments", "segment_outputs", "image_outputs"];

    public static bool IsRunning(LiveKitItem egress) => ObjectRules.Text(egress, "status") is "EGRESS_STARTING" or "EGRESS_ACTIVE";

    /// <summary>One recording of a kind in a room at a time.</summary>
    public static string KeyOf(LiveKitItem egress) =>
        $"{Requests.FirstOrDefault(r => egress.Json[r.Field] is JsonObject).Field} {ObjectRules.Text(egress, "room_name")}";

    /// <summary>Null: it cannot be; <paramref name="why"/> says so.</summary>
    public static EgressRestart? Of(LiveKitItem egress, string suffix, out string why)
    {
        why = "";
        var (field, call) = Requests.FirstOrDefault(r => egress.Json[r.Field] is JsonObject);
        if (field is null)
        {
            why = "it follows tracks, which have gone with the participants";
            return null;
        }

        var body = egress.Json[field]!.DeepClone().AsObject();
        if (body["stream"] is JsonObject || body["stream_outputs"] is JsonArray { Count: > 0 })
        {
            why = "it streams to addresses whose secrets the server does not tell; start it by hand";
            return null;
        }

        foreach (var output in Outputs.SelectMany(o => body[o] switch
        {
            JsonObject one => [one],
            JsonArray several => several.OfType<JsonObject>(),
            _ => Array.Empty<JsonObject>(),
        }))
        {
            if (Storages.Any(s => output[s] is JsonObject))
            {
                why = "its storage has credentials of its own, which the server does not tell; start it by hand";
                return null;
            }

            foreach (var name in (string[])["filepath", "filename_prefix", "playlist_name", "live_playlist_name"])
                if (ObjectRules.Text(output, name) is { Length: > 0 } path) output[name] = WithSuffix(path, suffix);
        }

        return new EgressRestart(call, body);
    }

    /// <summary>Before the extension: <c>calls/a.mp4</c> becomes <c>calls/a-restored-20261122T120000Z.mp4</c>.</summary>
    private static string WithSuffix(string path, string suffix)
    {
        var dot = path.LastIndexOf('.');
        return dot > path.LastIndexOf('/') + 1 ? $"{path[..dot]}-restored-{suffix}{path[dot..]}" : $"{path}-restored-{suffix}";
    }
}
