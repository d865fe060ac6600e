using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Standing;

/// <summary>Records of recovery points that are missing although nobody removed them.</summary>
public static class LostRecords
{
    /// <summary>One sentence per lost record of a component's recovery points, with the mend; null: of all components.</summary>
    public static async ValueTask<IReadOnlyList<string>> DescribeAsync(
        BackupRepository repository, string? component, CancellationToken cancellationToken) =>
        await repository.Snapshots.ListLostAsync(cancellationToken)
            .Where(id => component is null || SnapshotStore.ComponentOf(id) == component)
            .Select(id => $"The record of recovery point {id} is missing although nobody removed it; 'fbackup repository repair' puts it back.")
            .ToListAsync(cancellationToken);
}
