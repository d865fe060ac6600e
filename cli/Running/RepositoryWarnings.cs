using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Running;

/// <summary>What a repository has lost that the command at hand works without, so that nobody takes what is left for all there was.</summary>
internal static class RepositoryWarnings
{
    /// <summary>One sentence per lost record of a component's recovery points, with the mend.</summary>
    public static async ValueTask<IReadOnlyList<string>> FindLostAsync(
        BackupRepository repository, string? component, CancellationToken cancellationToken) =>
        await repository.Snapshots.ListLostAsync(cancellationToken)
            .Where(id => component is null || SnapshotStore.ComponentOf(id) == component)
            .Select(id => $"The record of recovery point {id} is missing although nobody removed it; 'fbackup repository repair' puts it back.")
            .ToListAsync(cancellationToken);

    /// <summary>Says it, and what is wrong with the index.</summary>
    /// <returns>Whether there was anything to say.</returns>
    public static async ValueTask<bool> SayAsync(
        CommandContext context, BackupRepository repository, string? component, CancellationToken cancellationToken)
    {
        var warnings = (await FindLostAsync(repository, component, cancellationToken)).Concat(repository.IndexWarnings).ToList();
        foreach (var warning in warnings) context.Printer.Warn(warning);
        return warnings.Count > 0;
    }
}
