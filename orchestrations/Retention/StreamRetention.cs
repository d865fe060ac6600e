using System.Runtime.CompilerServices;
using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Locks;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>Removes the WAL and the journals that no kept recovery point can need.</summary>
public static class StreamRetention
{
    /// <param name="Objects">Removed, or to be removed.</param>
    /// <param name="Bytes">Their bytes.</param>
    /// <param name="Locked">Needed by nobody, but locked: name, bytes and until when.</param>
    public sealed record Pruned(long Objects, long Bytes, IReadOnlyList<(string Name, long Bytes, DateTimeOffset Until)> Locked);

    /// <param name="repository">Where they are.</param>
    /// <param name="kept">Ids of the recovery points that stay by a rule.</param>
    /// <param name="now">By this machine's clock.</param>
    /// <param name="dryRun">Only count.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async ValueTask<Pruned> PruneAsync(
        BackupRepository repository, IReadOnlySet<string> kept, DateTimeOffset now, bool dryRun, CancellationToken cancellationToken)
    {
        var obsolete = await FindObsoleteAsync(repository, kept, cancellationToken).ToListAsync(cancellationToken);
        var locks = await RetentionLocks.OpenAsync(repository, cancellationToken);
        await locks.LearnAsync(obsolete.Select(o => o.Name).Where(LockedObjects.Covers), 8, cancellationToken);
        var locked = new List<(string, long, DateTimeOffset)>();
        var (objects, bytes) = (0L, 0L);
        foreach (var info in obsolete)
        {
            if (await TryDeleteAsync(repository, info, locks.Until(info.Name), now, dryRun, cancellationToken) is { } until)
            {
                locked.Add((info.Name, info.Size, until));
                continue;
            }

            objects++;
            bytes += info.Size;
        }

        if (!dryRun) await locks.SaveAsync(_ => true, cancellationToken);
        return new Pruned(objects, bytes, locked);
    }

    /// <summary>What none of these recovery points can need.</summary>
    public static async IAsyncEnumerable<ObjectInfo> FindObsoleteAsync(
        BackupRepository repository, IReadOnlySet<string> kept, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var found in FindWalAsync(repository, kept, cancellationToken)) yield return found;
        await foreach (var found in FindEventsAsync(repository, kept, cancellationToken)) yield return found;
    }

    /// <summary>Events from before the oldest snapshot of LiveKit say nothing that it does not know.</summary>
    private static async IAsyncEnumerable<ObjectInfo> FindEventsAsync(
        BackupRepository repository, IReadOnlySet<string> kept, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        DateTimeOffset? oldest = null;
        await foreach (var snapshot in repository.ListSnapshotsAsync("livekit", cancellationToken))
            if (kept.Contains(snapshot.Id) && !(snapshot.StartedAt > oldest)) oldest = snapshot.StartedAt;
        if (oldest is not { } before) yield break;
        await foreach (var part in new LiveKitJournal(repository).FindBeforeAsync(before, cancellationToken)) yield return part;
    }

    private static async IAsyncEnumerable<ObjectInfo> FindWalAsync(
        BackupRepository repository, IReadOnlySet<string> kept, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var backups = new List<PostgresBackupDetails>();
        await foreach (var snapshot in repository.ListSnapshotsAsync("postgres", cancellationToken))
            if (kept.Contains(snapshot.Id) && LogicalBackupDetails.FromJson(snapshot.Details) is null) backups.Add(PostgresBackupDetails.FromJson(snapshot.Details));

        foreach (var cluster in backups.GroupBy(b => b.SystemIdentifier))
        {
            var oldest = cluster.GroupBy(b => b.Timeline).ToDictionary(t => t.Key, t => t.Min(b => Lsn.Parse(b.StartLsn)));
            var archive = new WalArchive(repository, cluster.Key);
            await foreach (var found in archive.ObsoleteAsync(oldest, cluster.First().WalSegmentSize, cancellationToken)) yield return found;
        }
    }

    /// <summary>Null: deleted. Otherwise until when it is locked.</summary>
    private static async ValueTask<DateTimeOffset?> TryDeleteAsync(
        BackupRepository repository, ObjectInfo info, DateTimeOffset until, DateTimeOffset now, bool dryRun, CancellationToken cancellationToken)
    {
        if (until > now) return until;
        if (dryRun) return null;
        try
        {
            await repository.Store.DeleteAsync(info.Name, cancellationToken);
            return null;
        }
        catch (ObjectLockedException e)
        {
            return e.Until ?? DateTimeOffset.MaxValue;
        }
    }
}
