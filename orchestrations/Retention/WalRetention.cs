using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>Removes the WAL that no kept base backup can need.</summary>
public static class WalRetention
{
    public readonly record struct Pruned(long Objects, long Bytes);

    /// <param name="repository">Where the WAL is.</param>
    /// <param name="kept">Ids of the recovery points that stay.</param>
    /// <param name="dryRun">Only count.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<Pruned> PruneAsync(
        BackupRepository repository, IReadOnlySet<string> kept, bool dryRun, CancellationToken cancellationToken)
    {
        var backups = new List<PostgresBackupDetails>();
        await foreach (var snapshot in repository.ListSnapshotsAsync("postgres", cancellationToken))
            if (kept.Contains(snapshot.Id)) backups.Add(PostgresBackupDetails.FromJson(snapshot.Details));

        var pruned = default(Pruned);
        foreach (var cluster in backups.GroupBy(b => b.SystemIdentifier))
        {
            var oldest = cluster.GroupBy(b => b.Timeline).ToDictionary(t => t.Key, t => t.Min(b => Lsn.Parse(b.StartLsn)));
            var archive = new WalArchive(repository, cluster.Key);
            var obsolete = new List<string>();
            await foreach (var found in archive.ObsoleteAsync(oldest, cluster.First().WalSegmentSize, cancellationToken))
            {
                pruned = new Pruned(pruned.Objects + 1, pruned.Bytes + found.Size);
                obsolete.Add(found.Name);
            }

            if (dryRun) continue;
            foreach (var name in obsolete) await repository.Store.DeleteAsync(name, cancellationToken);
        }

        return pruned;
    }
}
