using System.Runtime.CompilerServices;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>Which WAL a copy of the repository needs, judged by its own base backups.</summary>
public static class ReplicaWal
{
    /// <summary>WAL that no base backup of this copy needs, and pieces of segments that it has as a whole.</summary>
    public static async IAsyncEnumerable<string> ObsoleteAsync(
        BackupRepository repository, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var kept = await repository.Snapshots.ListIdsAsync("postgres", cancellationToken).ToHashSetAsync(null, cancellationToken);
        await foreach (var found in WalRetention.FindObsoleteAsync(repository, kept, cancellationToken)) yield return found.Name;
    }

    /// <summary>Of WAL that only a replica has, what its base backups need: the other copy lost it, and did not prune it.</summary>
    public static async ValueTask<IReadOnlyList<string>> NeededAsync(
        BackupRepository replica, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var obsolete = await ObsoleteAsync(replica, cancellationToken).ToHashSetAsync(null, cancellationToken);
        return [.. names.Where(n => !obsolete.Contains(n))];
    }
}
