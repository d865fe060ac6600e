using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>How a recovery point stands.</summary>
public enum PointStanding
{
    Clean,

    /// <summary>Unusual itself, and nobody has decided.</summary>
    Suspicious,

    /// <summary>Taken after one that is suspicious, or that was rejected, and before anybody decided: it may hold the same damage.</summary>
    Tainted,

    /// <summary>A person said that it is damage.</summary>
    Rejected,
}

/// <summary>The suspicious recovery points of a repository, and what follows for the others.</summary>
/// <param name="all">Oldest first.</param>
public sealed class Suspicions(IReadOnlyList<Suspicion> all)
{
    public IReadOnlyList<Suspicion> All { get; } = all;

    /// <summary>The one about a recovery point, accepted or not; null: there is nothing unusual about it.</summary>
    public Suspicion? Of(string snapshotId) => All.FirstOrDefault(s => s.SnapshotId == snapshotId);

    /// <summary>Those of a component on which nobody has decided.</summary>
    public IReadOnlyList<Suspicion> Open(string component) =>
        [.. All.Where(s => s.IsOpen && SnapshotStore.ComponentOf(s.SnapshotId) == component)];

    public PointStanding StandingOf(Snapshot snapshot)
    {
        var standing = PointStanding.Clean;
        foreach (var suspicion in All)
        {
            if (suspicion.IsAccepted || SnapshotStore.ComponentOf(suspicion.SnapshotId) != snapshot.Component) continue;
            if (suspicion.SnapshotId == snapshot.Id) return suspicion.IsOpen ? PointStanding.Suspicious : PointStanding.Rejected;
            // Ids of a component sort by time. What began after a rejection is taken from a source that was set right.
            if (string.CompareOrdinal(suspicion.SnapshotId, snapshot.Id) < 0 && (suspicion.Decision is not { } no || snapshot.StartedAt < no.At))
                standing = PointStanding.Tainted;
        }

        return standing;
    }

    public bool IsClean(Snapshot snapshot) => StandingOf(snapshot) == PointStanding.Clean;
}
