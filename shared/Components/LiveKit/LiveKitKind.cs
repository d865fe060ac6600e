namespace FunctionsBackup.Components.LiveKit;

/// <summary>A kind of objects of a LiveKit server.</summary>
/// <param name="Name">In counts, plans and maps of ids.</param>
/// <param name="Title">One of them, in sentences.</param>
/// <param name="IdField">The field that identifies one; of a room in the catalog its name, and of a participant its identity.</param>
/// <param name="List">The call that lists them.</param>
/// <param name="Items">The field of the answer that holds them.</param>
public sealed record LiveKitKind(string Name, string Title, string IdField, string List, string Items)
{
    public static LiveKitKind InboundTrunk { get; } = new("sip_inbound_trunks", "inbound trunk", "sip_trunk_id", "SIP/ListSIPInboundTrunk", "items");

    public static LiveKitKind OutboundTrunk { get; } = new("sip_outbound_trunks", "outbound trunk", "sip_trunk_id", "SIP/ListSIPOutboundTrunk", "items");

    public static LiveKitKind DispatchRule { get; } = new("sip_dispatch_rules", "dispatch rule", "sip_dispatch_rule_id", "SIP/ListSIPDispatchRule", "items");

    public static LiveKitKind Ingress { get; } = new("ingress", "ingress", "ingress_id", "Ingress/ListIngress", "items");

    public static LiveKitKind Room { get; } = new("rooms", "room", "name", "RoomService/ListRooms", "rooms");

    public static LiveKitKind Participant { get; } = new("participants", "participant", "identity", "RoomService/ListParticipants", "participants");

    public static LiveKitKind Dispatch { get; } = new("agent_dispatches", "agent dispatch", "id", "AgentDispatchService/ListDispatch", "agent_dispatches");

    public static LiveKitKind Egress { get; } = new("egress", "egress", "egress_id", "Egress/ListEgress", "items");

    /// <summary>In the order in which they are read.</summary>
    public static IReadOnlyList<LiveKitKind> All { get; } = [InboundTrunk, OutboundTrunk, DispatchRule, Ingress, Room, Participant, Dispatch, Egress];
}
