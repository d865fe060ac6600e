using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.LiveKit.Access;

/// <summary>What one token permits: as little as the call needs (LiveKit's claims <c>video</c> and <c>sip</c>).</summary>
public sealed class LiveKitGrant
{
    private readonly string _section;
    private readonly string _right;
    private readonly string? _room;

    private LiveKitGrant(string section, string right, string? room = null) => (_section, _right, _room) = (section, right, room);

    public static LiveKitGrant ListRooms { get; } = new("video", "roomList");

    /// <summary>Also to delete them.</summary>
    public static LiveKitGrant CreateRooms { get; } = new("video", "roomCreate");

    public static LiveKitGrant Egress { get; } = new("video", "roomRecord");

    public static LiveKitGrant Ingress { get; } = new("video", "ingressAdmin");

    public static LiveKitGrant Sip { get; } = new("sip", "admin");

    /// <summary>Participants and agent dispatches of just this room.</summary>
    public static LiveKitGrant AdministerRoom(string room) => new("video", "roomAdmin", room);

    /// <summary>Adds the claim to those of a token.</summary>
    internal void AddTo(JsonObject claims)
    {
        var rights = new JsonObject { [_right] = true };
        if (_room is not null) rights["room"] = _room;
        claims[_section] = rights;
    }
}
