using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Access;
using FunctionsBackup.Components.LiveKit.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Restore;

/// <summary>How one kind of objects is made again: by what it is known again, what is sent, what is called.</summary>
internal sealed record ObjectRules
{
    /// <summary>Rooms are made before anybody has come back: they must outlive the time until clients have reconnected.</summary>
    public const int MinimumEmptyTimeout = 600;

    public required LiveKitKind Kind { get; init; }

    public required string Create { get; init; }

    public required string Delete { get; init; }

    /// <summary>The field of the answer that holds the new id.</summary>
    public required string NewId { get; init; }

    public required Func<LiveKitItem, LiveKitGrant> Grant { get; init; }

    /// <summary>Two objects with the same are the same, whatever their ids.</summary>
    public required Func<LiveKitItem, string> NaturalKey { get; init; }

    /// <summary>How a person knows it; no secrets.</summary>
    public required Func<LiveKitItem, string> Shown { get; init; }

    /// <summary>What is sent to make it, without the old ids.</summary>
    public required Func<LiveKitItem, JsonObject> Body { get; init; }

    /// <summary>What is sent to delete it.</summary>
    public required Func<LiveKitItem, JsonObject> DeleteBody { get; init; }

    /// <summary>In the order in which they are made.</summary>
    public static IReadOnlyList<ObjectRules> All { get; } =
    [
        Trunk(LiveKitKind.InboundTrunk, "SIP/CreateSIPInboundTrunk", item => Joined(Text(item, "name"), Numbers(item))),
        Trunk(LiveKitKind.OutboundTrunk, "SIP/CreateSIPOutboundTrunk", item => Joined(Text(item, "name"), Numbers(item), Text(item, "address"))),
        new()
        {
            Kind = LiveKitKind.DispatchRule,
            Create = "SIP/CreateSIPDispatchRule",
            Delete = "SIP/DeleteSIPDispatchRule",
            NewId = "sip_dispatch_rule_id",
            Grant = _ => LiveKitGrant.Sip,
            NaturalKey = item => Joined(Text(item, "name"), Canonical(item.Json["rule"])),
            Shown = item => Text(item, "name"),
            Body = item => new JsonObject { ["dispatch_rule"] = Without(item, "sip_dispatch_rule_id", "created_at", "updated_at") },
            DeleteBody = item => new JsonObject { ["sip_dispatch_rule_id"] = item.Id },
        },
        new()
        {
            Kind = LiveKitKind.Ingress,
            Create = "Ingress/CreateIngress",
            Delete = "Ingress/DeleteIngress",
            NewId = "ingress_id",
            Grant = _ => LiveKitGrant.Ingress,
            NaturalKey = item => Text(item, "name") is { Length: > 0 } name ? name
                : Joined("", Text(item, "input_type"), Text(item, "room_name"), Text(item, "participant_identity")),
            Shown = item => $"{Text(item, "name")} of room {Text(item, "room_name")}",
            Body = IngressBody,
            DeleteBody = item => new JsonObject { ["ingress_id"] = item.Id },
        },
        new()
        {
            Kind = LiveKitKind.Room,
            Create = "RoomService/CreateRoom",
            Delete = "RoomService/DeleteRoom",
            NewId = "sid",
            Grant = _ => LiveKitGrant.CreateRooms,
            NaturalKey = item => item.Id,
            Shown = item => item.Id,
            Body = RoomBody,
            DeleteBody = item => new JsonObject { ["room"] = item.Id },
        },
        new()
        {
            Kind = LiveKitKind.Dispatch,
            Create = "AgentDispatchService/CreateDispatch",
            Delete = "AgentDispatchService/DeleteDispatch",
            NewId = "id",
            Grant = item => LiveKitGrant.AdministerRoom(item.Room!),
            NaturalKey = item => Joined(item.Room!, Text(item, "agent_name"), Text(item, "metadata")),
            Shown = item => $"agent {Text(item, "agent_name")} in room {item.Room}",
            Body = item => Only(item, "agent_name", "room", "metadata", "attributes", "deployment", "restart_policy"),
            DeleteBody = item => new JsonObject { ["dispatch_id"] = item.Id, ["room"] = item.Room },
        },
    ];

    /// <summary>The old id that a map names: of a room its <c>sid</c>.</summary>
    public string OldId(LiveKitItem item) => Kind == LiveKitKind.Room ? Text(item, "sid") : item.Id;

    public static string Text(LiveKitItem item, string name) => Text(item.Json, name);

    public static string Text(JsonObject json, string name) =>
        json[name] is JsonValue value && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : "";

    /// <summary>One text for equal values.</summary>
    public static string Canonical(JsonNode? node) =>
        node is null ? "" : System.Text.Encoding.UTF8.GetString(CanonicalJson.Write(JsonSerializer.SerializeToElement(node)));

    private static ObjectRules Trunk(LiveKitKind kind, string create, Func<LiveKitItem, string> key) => new()
    {
        Kind = kind,
        Create = create,
        Delete = "SIP/DeleteSIPTrunk",
        NewId = "sip_trunk_id",
        Grant = _ => LiveKitGrant.Sip,
        NaturalKey = key,
        Shown = item => $"{Text(item, "name")} ({Numbers(item)})",
        Body = item => new JsonObject { ["trunk"] = Without(item, "sip_trunk_id", "created_at", "updated_at") },
        DeleteBody = item => new JsonObject { ["sip_trunk_id"] = item.Id },
    };

    private static JsonObject RoomBody(LiveKitItem item)
    {
        var body = Only(item, "name", "empty_timeout", "departure_timeout", "max_participants", "metadata");
        var timeout = body["empty_timeout"] is JsonValue value && value.TryGetValue<long>(out var seconds) ? seconds : 0;
        body["empty_timeout"] = Math.Max(timeout, MinimumEmptyTimeout);
        return body;
    }

    private static JsonObject IngressBody(LiveKitItem item)
    {
        var body = Only(
            item, "input_type", "name", "room_name", "participant_identity", "participant_name", "participant_metadata", "enable_transcoding", "audio",
            "video", "enabled");
        // Of the other kinds, the address is the server's own.
        if (Text(item, "input_type") == "URL_INPUT") body["url"] = Text(item, "url");
        return body;
    }

    private static JsonObject Without(LiveKitItem item, params string[] names)
    {
        var body = item.Json.DeepClone().AsObject();
        foreach (var name in names) body.Remove(name);
        return body;
    }

    private static JsonObject Only(LiveKitItem item, params string[] names)
    {
        var body = new JsonObject();
        foreach (var name in names)
            if (item.Json[name] is { } value) body[name] = value.DeepClone();
        return body;
    }

    private static string Numbers(LiveKitItem item) => item.Json["numbers"] is JsonArray numbers
        ? string.Join(", ", numbers.Select(n => n?.ToString() ?? "").Order(StringComparer.Ordinal))
        : "";

    private static string Joined(params string[] parts) => string.Join('\n', parts.Select(p => $"{p.Length}:{p}"));
}
