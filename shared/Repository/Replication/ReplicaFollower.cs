using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Removals;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Witnesses;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Lets a replica follow what its primary removed on purpose, and nothing else: records, pins and key slots only by a record of their
/// removal; packs only by a mark that the replica has had for its grace time, if the primary has them no more and nothing of the replica
/// needs them.
/// </summary>
internal sealed class ReplicaFollower(BackupRepository primary, IObjectStore replica, ReplicaCopier copier, ReplicationOptions options)
{
    private static readonly TimeSpan RemoverTime = TimeSpan.FromDays(1);

    private readonly SealedObjects _sealed = new(replica, primary.Unlocked.Keys, primary.Id);
    private readonly List<string> _notes = [];

    /// <summary>Objects removed so far.</summary>
    public long Removed { get; private set; }

    public IReadOnlyList<string> Notes => _notes;

    /// <summary>That the replica does not permit to delete, which may be on purpose; null: it did, or was not asked to.</summary>
    public string? Refusal { get; private set; }

    /// <summary>Recovery points of the replica that the primary has not, after its removals were followed.</summary>
    public IReadOnlyList<string> OnlyOnReplica { get; private set; } = [];

    /// <summary>Removes what the primary says that it removed. A record of removals on the replica says that it was followed.</summary>
    public async ValueTask FollowRemovalsAsync(CancellationToken cancellationToken)
    {
        var removals = new RemovalRecords(primary.Store, primary.Sealed);
        var news = await ReplicatedObjects.MissingAsync(primary.Store, replica, RemovalRecords.Prefix, cancellationToken).ToListAsync(cancellationToken)
            .ConfigureAwait(false);
        try
        {
            foreach (var info in news) await FollowAsync(info).ConfigureAwait(false);
        }
        catch (StoreAccessException e)
        {
            Refusal = $"What the primary removed stays on the replica, which does not permit to delete: {e.Message}";
        }

        // After the removals: what is here and not there was lost there.
        OnlyOnReplica = await ReplicatedObjects.JoinAsync(primary.Store, replica, SnapshotStore.Prefix, cancellationToken)
            .Where(p => p.One is null).Select(p => p.Other!.Name[SnapshotStore.Prefix.Length..]).ToListAsync(cancellationToken).ConfigureAwait(false);

        async ValueTask FollowAsync(ObjectInfo info)
        {
            try
            {
                if (await removals.FindAsync(info.Name, cancellationToken).ConfigureAwait(false) is not { } removal) return;
                var done = true;
                foreach (var name in removal.Names) done &= await RemoveAsync(name, cancellationToken).ConfigureAwait(false);
                // The remover is still at it; after a day it was interrupted, and what it left is as good as any other.
                if (!done && primary.Time.GetUtcNow() - removal.At < RemoverTime) return;
            }
            catch (DamageException e)
            {
                copier.Note(e.ObjectName, e.Message.TrimEnd('.'));
                return;
            }

            await copier.CopyInOrderAsync(new[] { info }.ToAsyncEnumerable(), null, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    /// The primary's new segments leave packs out: those that it collected, and those that it lost, which its repair did not find. What the
    /// replica knows of packs that it still needs is kept in a segment of its own: of those that no mark condemns, and of all while it has
    /// recovery points that the primary has not.
    /// </summary>
    /// <param name="replacing">Segments of the primary that replace some of the replica's.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask KeepEntriesAsync(IReadOnlyList<IndexSegment> replacing, CancellationToken cancellationToken)
    {
        using var index = await ChunkIndex.OpenAsync(replica, new RepositoryKeys(primary.Unlocked.Keys, primary.Id), cancellationToken).ConfigureAwait(false);
        var gone = replacing.SelectMany(s => s.Supersedes).ToHashSet();
        var replaced = index.Segments.Where(s => gone.Contains(s.Name)).ToList();
        if (replaced.Count == 0) return;
        var unnamed = Blocks(replaced);
        foreach (var (pack, blocks) in Blocks(replacing.Concat(index.Segments.Where(s => !gone.Contains(s.Name)))))
        {
            if (!unnamed.TryGetValue(pack, out var left)) continue;
            left.ExceptWith(blocks);
            if (left.Count == 0) unnamed.Remove(pack);
        }

        if (OnlyOnReplica.Count == 0)
            foreach (var store in new[] { (primary.Store, primary.Sealed), (replica, _sealed) })
                await foreach (var mark in new CollectionMarks(store.Item1, store.Item2).ListAsync(cancellationToken).ConfigureAwait(false))
                    foreach (var pack in mark.Condemned) unnamed.Remove(pack);
        if (unnamed.Count == 0) return;
        await new IndexMerger(index).MergeAsync(replaced, p => !unnamed.ContainsKey(p.Name), cancellationToken, supersede: false).ConfigureAwait(false);
    }

    private static Dictionary<string, HashSet<uint>> Blocks(IEnumerable<IndexSegment> segments)
    {
        var blocks = new Dictionary<string, HashSet<uint>>();
        foreach (var segment in segments)
            foreach (var block in segment.Blocks)
            {
                var name = segment.Packs[block.Pack].Name;
                if (!blocks.TryGetValue(name, out var its)) blocks.Add(name, its = []);
                its.Add(block.Offset);
            }

        return blocks;
    }

    /// <summary>Carries out marks whose grace time is over here too, and tidies what is not needed any more.</summary>
    public async ValueTask FollowCollectionAsync(CancellationToken cancellationToken)
    {
        try
        {
            var collector = new ReplicaCollector(primary, replica, _sealed, options);
            Removed += await collector.RunAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (StoreAccessException e)
        {
            Refusal ??= $"Garbage stays on the replica, which does not permit to delete: {e.Message}";
        }
        catch (RepositoryException e) when (e is not NewEpochException)
        {
            _notes.Add($"Nothing was collected on the replica: {e.Message}");
        }
    }

    /// <summary>What the primary has is not removed, whatever was said once: it was made again, or the remover was interrupted.</summary>
    /// <returns>False: the primary has it.</returns>
    private async ValueTask<bool> RemoveAsync(string name, CancellationToken cancellationToken)
    {
        if (await primary.Store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null) return false;
        var slots = KeyObjects.Slots(primary.Unlocked.Config.KeyGeneration);
        if (name.StartsWith(SnapshotStore.Prefix, StringComparison.Ordinal) || name.StartsWith(SnapshotStore.PinPrefix, StringComparison.Ordinal))
        {
            if (await new WitnessStore(replica, _sealed).RemoveAsync(name, cancellationToken).ConfigureAwait(false)) Removed++;
        }
        else if (name.StartsWith(slots, StringComparison.Ordinal))
        {
            await new SlotWitnesses(replica, primary.Unlocked.Config.KeyGeneration).RemoveSlotAsync(name[slots.Length..], cancellationToken).ConfigureAwait(false);
            Removed++;
        }
        else if (ObjectCheck.IsKnown(name) && await replica.DeleteAsync(name, cancellationToken).ConfigureAwait(false))
        {
            Removed++; // of a kind that a later program removes so
        }

        return true;
    }
}
