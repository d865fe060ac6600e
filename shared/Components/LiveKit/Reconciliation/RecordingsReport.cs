using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.LiveKit.Reconciliation;

/// <summary>How a recording stands.</summary>
public enum RecordingStanding
{
    /// <summary>It ended after the recovery point began: it is not to be expected there yet.</summary>
    Pending,

    /// <summary>The recovery point does not have it.</summary>
    Missing,

    /// <summary>The recovery point has one of that name and another size.</summary>
    Different,
}

/// <summary>A recording that is not held as the egress catalogue says.</summary>
/// <param name="Recording">Which.</param>
/// <param name="Standing">How it stands.</param>
/// <param name="HeldBytes">Size of what is held under its name, if <see cref="RecordingStanding.Different"/>.</param>
public sealed record RecordingFinding(Recording Recording, RecordingStanding Standing, long? HeldBytes = null)
{
    public string Sentence(string snapshotId)
    {
        var name = ByteName.Display(ByteName.Parse(Recording.FileName));
        return Standing switch
        {
            RecordingStanding.Missing => $"The recording {name} of egress {Recording.EgressId} is not in {snapshotId}; look whether its place is under components.voice_data.",
            RecordingStanding.Different =>
                $"The recording {name} of egress {Recording.EgressId} has {Recording.Size} bytes, and {snapshotId} holds {HeldBytes}; was it cut or replaced?",
            _ => $"The recording {name} of egress {Recording.EgressId} ended after {snapshotId} began; the next backup of voice_data takes it.",
        };
    }
}

/// <summary>The egress catalogue against a recovery point of the recordings.</summary>
/// <param name="SnapshotId">That recovery point.</param>
/// <param name="Recordings">In the catalogue.</param>
/// <param name="Findings">Those that are not held, by name.</param>
public sealed record RecordingsReport(string SnapshotId, long Recordings, IReadOnlyList<RecordingFinding> Findings)
{
    public long Missing => Findings.Count(f => f.Standing == RecordingStanding.Missing);

    public long Different => Findings.Count(f => f.Standing == RecordingStanding.Different);

    public long Pending => Findings.Count(f => f.Standing == RecordingStanding.Pending);

    public RecordingsSummary ToSummary() => new(SnapshotId, Recordings, Recordings - Findings.Count, Missing, Different, Pending);
}

/// <summary>What a snapshot of LiveKit notes of it.</summary>
/// <param name="Snapshot">The recovery point of the recordings.</param>
/// <param name="Recordings">In the egress catalogue.</param>
/// <param name="Held">Of them in the recovery point, with the same size.</param>
/// <param name="Missing">Not there.</param>
/// <param name="Different">There with another size.</param>
/// <param name="Pending">Newer than the recovery point.</param>
public sealed record RecordingsSummary(string Snapshot, long Recordings, long Held, long Missing, long Different, long Pending);
