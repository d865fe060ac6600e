using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Tests.Servers;

/// <summary>What a <see cref="LiveKitServer"/> has, and what may be done with it.</summary>
public sealed class LiveKitState(LiveKitServer server)
{
    private readonly Lock _gate = new();
    private int _ids;

    public List<JsonObject> InboundTrunks { get; } = [];

    public List<JsonObject> OutboundTrunks { get; } = [];

    public List<JsonObject> Rules { get; } = [];

    public List<JsonObject> Ingress { get; } = [];

    public List<JsonObject> Rooms { get; } = [];

    public List<JsonObject> Egress { get; } = [];

    /// <summary>Room to its participants.</summary>
    public Dictionary<string, List<JsonObject>> Participants { get; } = [];

    public Dictionary<string, List<JsonObject>> Dispatches { get; } = [];

    public void Clear()
    {
        foreach (var list in new[] { InboundTrunks, OutboundTrunks, Rules, Ingress, Rooms, Egress }) list.Clear();
        Participants.Clear();
        Dispatches.Clear();
    }

    internal JsonObject Operate(string method, JsonObject request, JsonElement claims)
    {
        lock (_gate)
        {
            var room = Text(request, "room");
            switch (method.Split('/')[0])
            {
                case "SIP":
                    LiveKitToken.Require(claims, "sip", "admin");
                    break;
                case "Ingress":
                    LiveKitToken.Require(claims, "video", "ingressAdmin");
                    break;
                case "Egress":
                    LiveKitToken.Require(claims, "video", "roomRecord");
                    break;
                case "RoomService" when method.EndsWith("/ListRooms", StringComparison.Ordinal):
                    LiveKitToken.Require(claims, "video", "roomList");
                    break;
                case "RoomService" when method.EndsWith("/CreateRoom", StringComparison.Ordinal) || method.EndsWith("/DeleteRoom", StringComparison.Ordinal):
                    LiveKitToken.Require(claims, "video", "roomCreate");
                    break;
                case "RoomService" or "AgentDispatchService":
                    LiveKitToken.Require(claims, "video", "roomAdmin", room);
                    break;
                default:
                    throw new LiveKitServer.Refusal(404, "bad_route", $"no handler for path \"/twirp/livekit.{method}\"");
            }

            return method switch
            {
                "SIP/ListSIPInboundTrunk" => Page(InboundTrunks, "sip_trunk_id", request),
                "SIP/ListSIPOutboundTrunk" => Page(OutboundTrunks, "sip_trunk_id", request),
                "SIP/ListSIPDispatchRule" => Page(Rules, "sip_dispatch_rule_id", request),
                "Ingress/ListIngress" => PageByToken(Ingress, request),
                "Egress/ListEgress" => PageByToken(Egress, request),
                "RoomService/ListRooms" => new JsonObject { ["rooms"] = List(Rooms) },
                "RoomService/ListParticipants" => new JsonObject { ["participants"] = List(Inside(Participants, room)) },
                "AgentDispatchService/ListDispatch" => new JsonObject { ["agent_dispatches"] = List(Inside(Dispatches, room)) },
                "SIP/CreateSIPInboundTrunk" => CreateTrunk(InboundTrunks, Object(request, "trunk"), inbound: true),
                "SIP/CreateSIPOutboundTrunk" => CreateTrunk(OutboundTrunks, Object(request, "trunk"), inbound: false),
                "SIP/CreateSIPDispatchRule" => CreateRule(Object(request, "dispatch_rule")),
                "Ingress/CreateIngress" => CreateIngress(request),
                "RoomService/CreateRoom" => CreateRoom(request),
                "AgentDispatchService/CreateDispatch" => CreateDispatch(room, request),
                "Egress/StartRoomCompositeEgress" => StartEgress(request),
                "SIP/DeleteSIPTrunk" => Delete([InboundTrunks, OutboundTrunks], "sip_trunk_id", Text(request, "sip_trunk_id")),
                "SIP/DeleteSIPDispatchRule" => Delete([Rules], "sip_dispatch_rule_id", Text(request, "sip_dispatch_rule_id")),
                "Ingress/DeleteIngress" => Delete([Ingress], "ingress_id", Text(request, "ingress_id")),
                "RoomService/DeleteRoom" => Delete([Rooms], "name", room),
                "AgentDispatchService/DeleteDispatch" => Delete([Inside(Dispatches, room)], "id", Text(request, "dispatch_id")),
                _ => throw new LiveKitServer.Refusal(404, "bad_route", $"no handler for path \"/twirp/livekit.{method}\""),
            };
        }
    }

    private JsonObject Page(List<JsonObject> items, string id, JsonObject request)
    {
        var page = Object(request, "page");
        var limit = page["limit"]!.GetValue<int>();
        if (limit is < 1 or > 1000) throw Invalid("page limit");
        var after = Text(page, "after_id");
        var rest = items.OrderBy(i => Text(i, id), StringComparer.Ordinal).Where(i => string.CompareOrdinal(Text(i, id), after) > 0);
        return new JsonObject { ["items"] = List(rest.Take(Math.Min(limit, server.PageLimit))) };
    }

    private JsonObject PageByToken(List<JsonObject> items, JsonObject request)
    {
        var from = request["page_token"] is JsonObject page && Text(page, "token") is { Length: > 0 } token ? int.Parse(token) : 0;
        var answer = new JsonObject { ["items"] = List(items.Skip(from).Take(server.PageLimit)) };
        answer["next_page_token"] = from + server.PageLimit < items.Count ? new JsonObject { ["token"] = $"{from + server.PageLimit}" } : null;
        return answer;
    }

    private List<JsonObject> Inside(Dictionary<string, List<JsonObject>> all, string room) =>
        Rooms.Exists(r => Text(r, "name") == room) && !server.Vanishing.Contains(room)
            ? all.TryGetValue(room, out var items) ? items : all[room] = []
            : throw new LiveKitServer.Refusal(404, "not_found", "requested room does not exist");

    private JsonObject CreateTrunk(List<JsonObject> trunks, JsonObject trunk, bool inbound)
    {
        if (Text(trunk, "sip_trunk_id").Length > 0) throw Invalid("trunk ID must not be set");
        var numbers = Texts(trunk, "numbers");
        if (inbound && numbers.Count == 0 && Text(trunk, "auth_username").Length == 0 && Texts(trunk, "allowed_addresses").Count == 0)
            throw Invalid("for security, one of the fields must be set: numbers, auth_username or allowed_addresses");
        if (!inbound && (numbers.Count == 0 || Text(trunk, "address").Length == 0)) throw Invalid("no trunk numbers or address specified");
        if (inbound && trunks.Exists(t => Texts(t, "numbers").Intersect(numbers).Any())) throw Invalid("Conflicting inbound SIP Trunks");
        return Add(trunks, trunk, "sip_trunk_id", "ST_");
    }

    private JsonObject CreateRule(JsonObject rule)
    {
        if (Text(rule, "sip_dispatch_rule_id").Length > 0) throw Invalid("rule ID must not be set");
        if (rule["rule"] is not JsonObject) throw Invalid("missing rule");
        return Add(Rules, rule, "sip_dispatch_rule_id", "SDR_");
    }

    private JsonObject CreateIngress(JsonObject request)
    {
        if (request.ContainsKey("ingress_id") || request.ContainsKey("stream_key")) throw Invalid("ingress ID and stream key are the server's");
        if (Text(request, "participant_identity").Length == 0) throw Invalid("no participant identity");
        if (Text(request, "input_type") == "URL_INPUT" != (Text(request, "url").Length > 0)) throw Invalid("a url goes with URL_INPUT, and only with it");
        request["stream_key"] = $"key-{Guid.NewGuid():N}";
        return Add(Ingress, request, "ingress_id", "IN_");
    }

    private JsonObject CreateRoom(JsonObject request)
    {
        if (Text(request, "name").Length == 0) throw Invalid("no room name");
        if (Rooms.Find(r => Text(r, "name") == Text(request, "name")) is { } existing) return existing.DeepClone().AsObject();
        request["num_participants"] = 0;
        request["creation_time"] = "1764230400";
        return Add(Rooms, request, "sid", "RM_");
    }

    private JsonObject CreateDispatch(string room, JsonObject request)
    {
        if (Text(request, "id").Length > 0 || Text(request, "agent_name").Length == 0) throw Invalid("a dispatch has an agent and no id");
        return Add(Inside(Dispatches, room), request, "id", "AD_");
    }

    private JsonObject StartEgress(JsonObject request)
    {
        if (!Rooms.Exists(r => Text(r, "name") == Text(request, "room_name"))) throw new LiveKitServer.Refusal(404, "not_found", "requested room does not exist");
        return Add(
            Egress,
            new JsonObject
            {
                ["room_name"] = Text(request, "room_name"), ["status"] = "EGRESS_STARTING", ["ended_at"] = "0", ["room_composite"] = request.DeepClone(),
            },
            "egress_id", "EG_");
    }

    private JsonObject Add(List<JsonObject> items, JsonObject item, string id, string prefix)
    {
        var added = item.DeepClone().AsObject();
        added[id] = $"{prefix}new{++_ids:0000}";
        items.Add(added);
        return added.DeepClone().AsObject();
    }

    private static JsonObject Delete(List<JsonObject>[] lists, string field, string id)
    {
        foreach (var list in lists)
            if (list.Find(i => Text(i, field) == id) is { } item)
            {
                list.Remove(item);
                return item.DeepClone().AsObject();
            }

        throw new LiveKitServer.Refusal(404, "not_found", "object cannot be found");
    }

    private static JsonArray List(IEnumerable<JsonObject> items) => new([.. items.Select(i => (JsonNode)i.DeepClone())]);

    private static JsonObject Object(JsonObject request, string name) => request[name] as JsonObject ?? throw Invalid($"missing {name}");

    private static string Text(JsonObject json, string name) => json[name]?.ToString() ?? "";

    private static List<string> Texts(JsonObject json, string name) => json[name] is JsonArray items ? [.. items.Select(i => i!.ToString())] : [];

    private static LiveKitServer.Refusal Invalid(string message) => new(400, "invalid_argument", message);
}
