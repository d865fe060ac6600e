using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Removals;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// The second phase of garbage collection, on a replica: by the primary's marks, but by the replica's own clock, index and recovery points.
/// A mark counts from when it came to the replica, so that its fence holds for whoever works with the replica itself.
/// </summary>
internal sealed class ReplicaCollector(BackupRepository primary, IObjectStore replica, SealedObjects sealedObjects, ReplicationOptions options)
{
    private static readonly TimeSpan KeepSuperseded = TimeSpan.FromDays(7);
    private static readonly TimeSpan ClockError = TimeSpan.FromHours(1);

    private readonly CollectionMarks _marks = new(replica, sealedObjects);
    private long _removed;

    /// <returns>How many objects were removed.</returns>
    /// <exception cref="RepositoryException">The replica is damaged, so that it is not known what it needs: nothing was removed.</exception>
    public async ValueTask<long> RunAsync(CancellationToken cancellationToken)
    {
        var marks = await _marks.ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var gone = await OnlyHereAsync(cancellationToken).ConfigureAwait(false);
        // By our clock, generously; what is due by the store's own is asked only then, since asking leaves an object where nothing can be deleted.
        var soon = primary.Time.GetUtcNow() + ClockError;
        if (!gone.Exists(i => !IsSegment(i) || soon - i.LastModified > KeepSuperseded)
            && !marks.Exists(m => m.Sweep is null ? soon - m.MadeAt >= Grace(m) : soon - m.SweptAt > CollectionMarks.KeepSwept + Grace(m))) return 0;
        var now = await _marks.StoreTimeAsync(cancellationToken).ConfigureAwait(false);
        var due = marks.Where(m => m.Sweep is null && now - m.MadeAt >= Grace(m)).ToList();
        var old = gone.Where(i => IsSegment(i) && now - i.LastModified > KeepSuperseded).ToList();
        var removable = gone.Exists(i => !IsSegment(i));
        if (due.Count > 0 || old.Count > 0 || removable)
        {
            var view = new BorrowedStore(replica);
            await using var repository = await BackupRepository.OpenAsync(
                view, primary.Unlocked, new RepositoryOptions { KeepKeys = true, Time = primary.Time, LoadIndex = true }, cancellationToken).ConfigureAwait(false);
            await repository.Snapshots.EnsureNoneLostAsync(cancellationToken).ConfigureAwait(false);
            if (due.Count > 0) await SweepAsync(repository, marks, due, cancellationToken).ConfigureAwait(false);
            await RemoveSupersededAsync(repository, old, now, cancellationToken).ConfigureAwait(false);
            if (removable) await RemoveOthersAsync(repository, gone, cancellationToken).ConfigureAwait(false);
        }

        await TidyAsync(marks, now, cancellationToken).ConfigureAwait(false);
        return _removed;
    }

    private static TimeSpan Grace(StoredMark mark) => TimeSpan.FromSeconds(mark.Mark.GraceSeconds);

    private static bool IsSegment(ObjectInfo info) => info.Name.StartsWith(IndexFormat.Prefix, StringComparison.Ordinal);

    /// <summary>Segments, WAL, journals and records of recovery points that the primary has not.</summary>
    private async ValueTask<List<ObjectInfo>> OnlyHereAsync(CancellationToken cancellationToken)
    {
        var found = new List<ObjectInfo>();
        foreach (var prefix in ReplicatedObjects.Streams.Prepend(RecoveryPointStore.Prefix).Prepend(IndexFormat.Prefix))
            found.AddRange(await ReplicatedObjects.MissingAsync(replica, primary.Store, prefix, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false));
        return found;
    }

    private async ValueTask SweepAsync(BackupRepository repository, List<StoredMark> marks, List<StoredMark> due, CancellationToken cancellationToken)
    {
        var candidates = new HashSet<string>();
        foreach (var name in due.SelectMany(m => m.Mark.Packs).Distinct())
            if (await primary.Store.FindAsync(name, cancellationToken).ConfigureAwait(false) is null) candidates.Add(name);
        HashSet<string> kept = [];
        if (candidates.Count > 0)
        {
            repository.Index.Condemn(marks.SelectMany(m => m.Condemned));
            var live = await LiveBlocks.FindAsync(repository, cancellationToken).ConfigureAwait(false);
            kept = [.. candidates.Where(live.Needs)];
            candidates.ExceptWith(kept);
        }

        // As the collector does: first out of the index, with what another pass removed and a merge from before it names again, then out of the
        // store.
        var gone = await FindGoneAsync(repository, marks, cancellationToken).ConfigureAwait(false);
        gone.UnionWith(candidates);
        var merge = repository.Index.Segments.Where(s => s.Packs.Any(p => gone.Contains(p.Name))).ToList();
        if (merge.Count > 0)
            await new IndexMerger(repository.Index).MergeAsync(merge, p => gone.Contains(p.Name), cancellationToken).ConfigureAwait(false);
        foreach (var name in candidates)
            if (await replica.DeleteAsync(name, cancellationToken).ConfigureAwait(false)) _removed++;

        foreach (var mark in due)
        {
            // While the primary has not carried it out, packs of it may still come.
            if (await primary.Store.FindAsync(mark.Name, cancellationToken).ConfigureAwait(false) is null
                || await primary.Store.FindAsync(mark.Name + CollectionMarks.SweptSuffix, cancellationToken).ConfigureAwait(false) is not null)
            {
                var its = new List<string>();
                foreach (var name in mark.Mark.Packs)
                    if (kept.Contains(name) || await primary.Store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null) its.Add(name);
                await _marks.AddSweepAsync(mark.Name, new SweepRecord(its), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Packs that the index names, that a mark was carried out on, and that are not here.</summary>
    private async ValueTask<HashSet<string>> FindGoneAsync(BackupRepository repository, List<StoredMark> marks, CancellationToken cancellationToken)
    {
        var condemned = marks.Where(m => m.Sweep is not null).SelectMany(m => m.Condemned).ToHashSet();
        var gone = new HashSet<string>();
        foreach (var pack in repository.Index.Packs())
            if (condemned.Contains(pack.Name) && await replica.FindAsync(pack.Name, cancellationToken).ConfigureAwait(false) is null) gone.Add(pack.Name);
        return gone;
    }

    /// <summary>Segments that were replaced, once nobody can be using them any more.</summary>
    private async ValueTask RemoveSupersededAsync(
        BackupRepository repository, List<ObjectInfo> old, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var names = old.Select(i => i.Name).ToHashSet();
        foreach (var (name, since) in repository.Index.Superseded.OrderBy(s => s.Value))
            if (names.Contains(name) && now - since > KeepSuperseded && await replica.DeleteAsync(name, cancellationToken).ConfigureAwait(false)) _removed++;
    }

    /// <summary>WAL and journals that no recovery point here needs, and records whose snapshots are all gone here.</summary>
    private async ValueTask RemoveOthersAsync(BackupRepository repository, List<ObjectInfo> gone, CancellationToken cancellationToken)
    {
        if (gone.Any(i => i.Name.StartsWith(RecoveryPointStore.Prefix, StringComparison.Ordinal)))
            _removed += await repository.Points.PruneAsync(repository.Snapshots, new HashSet<string>(), false, cancellationToken).ConfigureAwait(false);
        var streams = gone.Select(i => i.Name).Where(ReplicatedObjects.IsOfStream).ToHashSet();
        if (streams.Count == 0 || options.ObsoleteStreams is null) return;
        var obsolete = await options.ObsoleteStreams(repository, cancellationToken).Where(streams.Contains).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var name in obsolete)
            if (await replica.DeleteAsync(name, cancellationToken).ConfigureAwait(false)) _removed++;
    }

    /// <summary>Old marks and removals go when they have gone from the primary.</summary>
    private async ValueTask TidyAsync(List<StoredMark> marks, DateTimeOffset now, CancellationToken cancellationToken)
    {
        foreach (var mark in marks)
            if (mark.SweptAt is { } swept && now - swept > CollectionMarks.KeepSwept + Grace(mark)
                && await primary.Store.FindAsync(mark.Name, cancellationToken).ConfigureAwait(false) is null)
                await _marks.DeleteAsync(mark, cancellationToken).ConfigureAwait(false);
        await new RemovalRecords(replica, sealedObjects).TidyAsync(now, cancellationToken).ConfigureAwait(false);
    }
}
