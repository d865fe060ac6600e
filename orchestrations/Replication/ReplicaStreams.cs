using System.Runtime.CompilerServices;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>Which WAL and journals a copy of the repository needs, judged by its own recovery points.</summary>
public static class ReplicaStreams
{
    /// <summary>What no recovery point of this copy needs, and pieces of segments that it has as a whole.</summary>
    public static async IAsyncEnumerable<string> ObsoleteAsync(
        BackupRepository repository, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var kept = await repository.Snapshots.ListIdsAsync(null, cancellationToken).ToHashSetAsync(null, cancellationToken);
        await foreach (var found in StreamRetention.FindObsoleteAsync(repository, kept, cancellationToken)) yield return found.Name;
    }

    /// <summary>Of what only a replica has, what its recovery points need: the other copy lost it, and did not prune it.</summary>
    public static async ValueTask<IReadOnlyList<string>> NeededAsync(
        BackupRepository replica, IReadOnlyList<string> names, CancellationToken cancellationToken)
    {
        var obsolete = await ObsoleteAsync(replica, cancellationToken).ToHashSetAsync(null, cancellationToken);
        return [.. names.Where(n => !obsolete.Contains(n))];
    }
}
