using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Reconciliation;

namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>The <c>details</c> of a snapshot of a LiveKit server. Holds no secrets.</summary>
public sealed record LiveKitBackupDetails
{
    /// <summary>Top-level folder in the catalog to the server, as components of files have it: so a snapshot restores to a folder, too.</summary>
    public required IReadOnlyDictionary<string, string> Paths { get; init; }

    /// <summary>Objects by kind (<see cref="LiveKitKind.Name"/>).</summary>
    public required IReadOnlyDictionary<string, long> Counts { get; init; }

    /// <summary>Kinds that the server did not offer, with its sentence: of them nothing is known.</summary>
    public IReadOnlyDictionary<string, string> Missing { get; init; } = new Dictionary<string, string>();

    /// <summary>Rooms that ended while they were read; at most 100.</summary>
    public IReadOnlyList<string> VanishedRooms { get; init; } = [];

    public long VanishedRoomCount { get; init; }

    /// <summary>When the first question was asked.</summary>
    public required DateTimeOffset ReadFrom { get; init; }

    /// <summary>When the last answer was there: LiveKit has no snapshot, so that what is kept is as of a moment between the two.</summary>
    public required DateTimeOffset ReadUntil { get; init; }

    /// <summary>Up to which event the snapshot is; null: no event was received since the snapshot before.</summary>
    public JournalPosition? Journal { get; init; }

    /// <summary>The recordings of the egress catalogue against those that the backup holds; null: there is nothing to compare with.</summary>
    public RecordingsSummary? Recordings { get; init; }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, Options)!.AsObject();

    /// <summary>Null if the details are not those of a snapshot of LiveKit.</summary>
    public static LiveKitBackupDetails? FromJson(JsonObject? details)
    {
        try
        {
            return details?.Deserialize<LiveKitBackupDetails>(Options);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>A place in the journal of events.</summary>
/// <param name="Events">Received since the snapshot before.</param>
/// <param name="LastId">Id of the last of them.</param>
/// <param name="LastCreatedAt">When the server made it.</param>
public sealed record JournalPosition(int Events, string LastId, DateTimeOffset LastCreatedAt);
