using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>Recovery points as people name them.</summary>
public static class RecoveryPoints
{
    /// <summary><c>all</c>, <c>latest</c> (the newest of each component) or one by its id; oldest first.</summary>
    public static async ValueTask<IReadOnlyList<Snapshot>> SelectAsync(
        BackupRepository repository, string name, string? component, CancellationToken cancellationToken)
    {
        if (name is not ("all" or "latest")) return [await repository.GetSnapshotAsync(name, component, cancellationToken)];
        var all = new List<Snapshot>();
        await foreach (var snapshot in repository.ListSnapshotsAsync(component, cancellationToken)) all.Add(snapshot);
        return name == "all" ? all : [.. all.GroupBy(s => s.Component).Select(g => g.Last())];
    }
}
