using System.Collections.Concurrent;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Locks;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Removals;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Collection;

/// <summary>
/// Frees what no recovery point needs, without ever locking out a backup. In two phases, fenced by time: a pack is marked; from then on
/// nothing new refers to it; after a grace time longer than the longest backup it is looked at again, and removed only if still unneeded.
/// All ages are measured by the store's own clock.
/// </summary>
public sealed class GarbageCollector(BackupRepository repository)
{
    private const int ManySegments = 24;

    /// <summary>A backup or restore that is under way reads the index as it was when it began.</summary>
    private static readonly TimeSpan KeepSuperseded = TimeSpan.FromDays(7);

    private readonly CollectionMarks _marks = new(repository.Store, repository.Sealed);

    /// <summary>Runs both phases once.</summary>
    /// <exception cref="RepositoryException">A recovery point or the index is damaged or lost, so that it is not known what must be kept.</exception>
    public async ValueTask<CollectionReport> RunAsync(CollectionOptions options, CancellationToken cancellationToken)
    {
        var marks = await _marks.ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var now = await _marks.StoreTimeAsync(cancellationToken).ConfigureAwait(false);
        repository.Index.Condemn(marks.SelectMany(m => m.Condemned)); // those made since the repository was opened too
        var stored = await repository.Store.ListAsync(PackFormat.Prefix, cancellationToken).ToDictionaryAsync(i => i.Name, cancellationToken: cancellationToken)
            .ConfigureAwait(false);
        await repository.Snapshots.EnsureNoneLostAsync(cancellationToken).ConfigureAwait(false);
        // After the packs were listed: a recovery point committed later only needs packs that are not marked, or younger than the grace time.
        var live = await LiveBlocks.FindAsync(repository, cancellationToken).ConfigureAwait(false);
        var locks = await RetentionLocks.OpenAsync(repository, cancellationToken).ConfigureAwait(false);
        await locks.LearnAsync(stored.Keys, options.Parallelism, cancellationToken).ConfigureAwait(false);

        var doomed = Doomed(marks, stored, live, locks, now);
        // First decided, then out of the index, then out of the store: a crash in between leaves packs that nothing names, not names without packs.
        var undeleted = await DecideAsync(marks, stored, doomed, live, locks, now, options, cancellationToken).ConfigureAwait(false);
        var merged = options.DryRun ? 0 : await MergeIndexAsync(marks, stored, doomed, live, cancellationToken).ConfigureAwait(false);
        if (!options.DryRun)
            foreach (var name in doomed) await TryDeleteAsync(name, locks, cancellationToken).ConfigureAwait(false);
        // Locked for longer than a mark has to wait: neither to mark nor to copy yet. A mark ends its wait when the lock has ended.
        bool StaysLocked(string pack) => locks.Until(pack) > now + options.Grace;
        var repacked = CandidatesFor(options, live);
        repacked.RemoveWhere(p => StaysLocked(p) && !locks.IsDue(p, now)); // copied instead of locked again
        var waiting = marks.Where(m => m.Sweep is null).SelectMany(m => m.Mark.Packs.Where(p => m.MadeAt + Grace(m) > now || locks.Until(p) > now))
            .ToHashSet();
        var garbage = stored.Values
            .Where(p => !live.Needs(p.Name) && !waiting.Contains(p.Name) && !doomed.Contains(p.Name) && now - p.LastModified >= options.Grace
                && !StaysLocked(p.Name))
            .Select(p => p.Name).ToHashSet();
        if (!options.DryRun)
        {
            repository.Index.Condemn(garbage); // a copy that is about to be marked too is none
            repacked.ExceptWith(await RepackAsync(options, repacked, live, cancellationToken).ConfigureAwait(false));
        }

        garbage.UnionWith(repacked);
        if (garbage.Count > 0 && !options.DryRun)
        {
            await _marks.AddAsync(new CollectionMark([.. garbage], options.Grace.TotalSeconds), cancellationToken).ConfigureAwait(false);
            repository.Index.Condemn(garbage);
        }

        if (!options.DryRun) await TidyAsync(marks, now, options, cancellationToken).ConfigureAwait(false);
        var needed = await new NeededObjects(repository, options).FindAsync(live, stored.Keys, garbage, locks, cancellationToken).ConfigureAwait(false);
        await locks.LearnAsync(needed, options.Parallelism, cancellationToken).ConfigureAwait(false);
        var due = locks.Due(needed, now);
        if (!options.DryRun)
        {
            await locks.RenewAsync(due, now, options.Parallelism, cancellationToken).ConfigureAwait(false);
            var known = needed.Concat(stored.Keys.Where(n => !doomed.Contains(n))).ToHashSet();
            await locks.SaveAsync(n => known.Contains(n) || options.Unneeded.Contains(n), cancellationToken).ConfigureAwait(false);
        }

        waiting.UnionWith(garbage);
        var ends = marks.Where(m => m.Sweep is null).Select(m => m.MadeAt + Grace(m)).Where(t => t > now).ToList();
        if (garbage.Count > 0) ends.Add(now + options.Grace);
        return new CollectionReport(
            doomed.Count, doomed.Sum(n => stored[n].Size), garbage.Count, waiting.Sum(n => stored.TryGetValue(n, out var p) ? p.Size : 0),
            ends.Count == 0 ? null : ends.Max(), repacked.Count, undeleted, merged)
        {
            Locked = Shares(stored.Values.Where(p => !live.Needs(p.Name) && !waiting.Contains(p.Name) && StaysLocked(p.Name)), locks),
            RenewedLocks = due.Count,
        };
    }

    private static IReadOnlyList<LockedShare> Shares(IEnumerable<ObjectInfo> packs, RetentionLocks locks) =>
    [
        .. packs.GroupBy(p => locks.Until(p.Name)).OrderBy(g => g.Key).Select(g => new LockedShare(g.Key, g.Count(), g.Sum(p => p.Size))),
    ];

    private static TimeSpan Grace(StoredMark mark) => TimeSpan.FromSeconds(mark.Mark.GraceSeconds);

    /// <summary>Packs whose grace time is over and that are still not needed.</summary>
    private static HashSet<string> Doomed(
        List<StoredMark> marks, Dictionary<string, ObjectInfo> stored, LiveBlocks live, RetentionLocks locks, DateTimeOffset now) =>
        [.. marks.Where(m => m.Sweep is null && m.MadeAt + Grace(m) <= now).SelectMany(m => m.Mark.Packs)
            .Where(n => stored.ContainsKey(n) && !live.Needs(n) && locks.Until(n) <= now)];

    /// <summary>
    /// Writes down what becomes of each mark whose time has come, before anything of it goes. Of several collectors, which may have seen
    /// different marks and so keep different copies of a chunk, the first record counts for all: what it keeps is not doomed.
    /// </summary>
    private async ValueTask<int> DecideAsync(
        List<StoredMark> marks, Dictionary<string, ObjectInfo> stored, HashSet<string> doomed, LiveBlocks live, RetentionLocks locks, DateTimeOffset now,
        CollectionOptions options, CancellationToken cancellationToken)
    {
        var undeleted = 0;
        foreach (var mark in marks.Where(m => m.Sweep is null && m.MadeAt + Grace(m) <= now))
        {
            var kept = mark.Mark.Packs.Where(p => stored.ContainsKey(p) && live.Needs(p)).ToList();
            undeleted += kept.Count;
            // Carried out only when nothing of it is locked any more; until then nothing new refers to what is left.
            if (mark.Mark.Packs.Any(n => stored.ContainsKey(n) && !live.Needs(n) && locks.Until(n) > now))
            {
                doomed.ExceptWith(mark.Mark.Packs);
                continue;
            }

            if (options.DryRun) continue;
            var decided = await _marks.AddSweepAsync(mark.Name, new SweepRecord(kept), cancellationToken).ConfigureAwait(false);
            if (decided is null) doomed.ExceptWith(mark.Mark.Packs);
            else doomed.ExceptWith(decided.Kept);
        }

        return undeleted;
    }

    /// <summary>One that turns out to be locked stays: it is known from now on.</summary>
    private async ValueTask TryDeleteAsync(string name, RetentionLocks locks, CancellationToken cancellationToken)
    {
        try
        {
            await repository.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectLockedException e)
        {
            locks.Note(e);
        }
    }

    private HashSet<string> CandidatesFor(CollectionOptions options, LiveBlocks live)
    {
        var used = new Dictionary<string, (PackInfo Pack, long Bytes)>();
        foreach (var segment in repository.Index.Segments)
            for (var i = 0; i < segment.Blocks.Length; i++)
            {
                if (!live.IsLive(segment, i)) continue;
                var pack = segment.Packs[segment.Blocks[i].Pack];
                used[pack.Name] = (pack, used.GetValueOrDefault(pack.Name).Bytes + segment.Blocks[i].StoredLength);
            }

        // Chunks of write-only writers have ids of their own, and stay in packs of theirs.
        return [.. used.Values.Where(u => u.Bytes < u.Pack.Size * options.RepackBelow && u.Pack.Size >= PackFormat.TargetSize / 4
                && EpochKinds.IsRepository(u.Pack.Epoch) && !repository.Index.Condemned.Contains(u.Pack.Name))
            .Select(u => u.Pack.Name)];
    }

    /// <summary>Copies the needed chunks of mostly unneeded packs into new ones. The old ones are to be marked: then the copies are preferred.</summary>
    /// <returns>Packs that cannot be copied because they are damaged: they stay as they are.</returns>
    private async ValueTask<IReadOnlyCollection<string>> RepackAsync(
        CollectionOptions options, HashSet<string> candidates, LiveBlocks live, CancellationToken cancellationToken)
    {
        var spoilt = new ConcurrentDictionary<string, bool>();
        if (candidates.Count == 0) return [];
        repository.Index.Condemn(candidates); // so that the chunks count as new here
        await using var session = repository.BeginSession(new SessionOptions("repack", options.Parallelism));
        foreach (var segment in repository.Index.Segments)
            for (var page = 0; page < segment.PageCount; page++)
            {
                var requests = Wanted(segment, await segment.ReadPageAsync(page, cancellationToken).ConfigureAwait(false), candidates, live);
                await repository.Fetcher.ReadChunksAsync(
                    requests, options.Parallelism,
                    (request, data, token) => session.StoreChunkAsync((PackKind)request.Target, request.Id, data, token),
                    (_, damage) => spoilt.TryAdd(damage.ObjectName, true), cancellationToken).ConfigureAwait(false);
            }

        await session.FlushAsync(cancellationToken).ConfigureAwait(false);
        return [.. spoilt.Keys];
    }

    private static List<ChunkRequest> Wanted(IndexSegment segment, byte[] page, HashSet<string> candidates, LiveBlocks live)
    {
        var requests = new List<ChunkRequest>();
        for (var at = 0; at < page.Length; at += IndexFormat.EntrySize)
        {
            var entry = IndexEntry.Read(page.AsSpan(at));
            var pack = segment.Packs[segment.Blocks[entry.Block].Pack];
            if (candidates.Contains(pack.Name) && live.IsLive(segment, entry.Block))
                requests.Add(new ChunkRequest(entry.Id, entry.Length, (int)pack.Kind, 0));
        }

        return requests;
    }

    /// <summary>Takes packs that go, or that an interrupted sweep removed, out of the index; keeps the number of segments small.</summary>
    private async ValueTask<int> MergeIndexAsync(
        List<StoredMark> marks, Dictionary<string, ObjectInfo> stored, HashSet<string> doomed, LiveBlocks live,
        CancellationToken cancellationToken)
    {
        var gone = marks.SelectMany(m => m.Condemned).Where(n => !stored.ContainsKey(n)).Concat(doomed).ToHashSet();
        var segments = repository.Index.Segments;
        var merge = segments.Where(s => s.Packs.Any(p => gone.Contains(p.Name))).ToHashSet();
        var small = segments.Where(s => s.EntryCount < IndexFormat.MaximumEntries / 2).ToList();
        if (small.Count > ManySegments) merge.UnionWith(small);
        if (merge.Count == 0) return 0;
        await new IndexMerger(repository.Index).MergeAsync([.. merge], p => gone.Contains(p.Name), cancellationToken).ConfigureAwait(false);
        live.Replace(merge, repository.Index.Segments.Except(segments));
        return merge.Count;
    }

    /// <summary>Removes superseded index segments and old marks once nobody can be using them any more.</summary>
    private async ValueTask TidyAsync(List<StoredMark> marks, DateTimeOffset now, CollectionOptions options, CancellationToken cancellationToken)
    {
        var keep = options.Grace > KeepSuperseded ? options.Grace : KeepSuperseded;
        foreach (var (name, since) in repository.Index.Superseded.OrderBy(s => s.Value)) // what replaced goes after what it replaced
            if (now - since > keep) await repository.Store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        // From the sweep on: for as long a replaced segment that still names the packs may come back into force, because the one that
        // replaced it is lost.
        foreach (var mark in marks.Where(m => m.SweptAt is { } swept && now - swept > CollectionMarks.KeepSwept + Grace(m)))
            await _marks.DeleteAsync(mark, cancellationToken).ConfigureAwait(false);
        await new BackupRuns(repository).RemoveAbandonedAsync(now, keep, cancellationToken).ConfigureAwait(false);
        await new RemovalRecords(repository.Store, repository.Sealed).TidyAsync(now, cancellationToken).ConfigureAwait(false);
        await _marks.RemoveProbesAsync(now, keep, cancellationToken).ConfigureAwait(false);
        await repository.AdoptAsync(cancellationToken).ConfigureAwait(false);
    }
}
