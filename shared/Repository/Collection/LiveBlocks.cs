using System.Collections;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Collection;

/// <summary>
/// Which blocks recovery points need: one bit per block of the index, about 1 MiB of data each, so that a petabyte needs 128 MB.
/// </summary>
internal sealed class LiveBlocks
{
    private readonly Dictionary<string, BitArray> _segments = [];
    private readonly HashSet<string> _packs = [];
    private HashSet<string>? _named;

    /// <summary>Packs with at least one needed block.</summary>
    public IReadOnlySet<string> Packs => _packs;

    /// <summary>
    /// Whether a pack must stay. If a chunk that is needed is in no pack that the index names, a part of the index may be lost, and any
    /// pack that it does not name may hold the chunk: then those stay too, until repair has looked into them.
    /// </summary>
    public bool Needs(string pack) => _packs.Contains(pack) || _named?.Contains(pack) == false;

    public bool IsLive(IndexSegment segment, int block) => _segments.TryGetValue(segment.Name, out var bits) && bits[block];

    /// <summary>Marks all that the recovery points need.</summary>
    /// <exception cref="RepositoryException">
    /// A recovery point cannot be walked: nothing may be collected, since what it needs is not known.
    /// </exception>
    public static ValueTask<LiveBlocks> FindAsync(BackupRepository repository, CancellationToken cancellationToken) =>
        FindAsync(repository, new HashSet<string>(), cancellationToken);

    /// <summary>The same without some of the recovery points: for what is not a question of removal.</summary>
    public static async ValueTask<LiveBlocks> FindAsync(
        BackupRepository repository, IReadOnlySet<string> without, CancellationToken cancellationToken)
    {
        var live = new LiveBlocks();
        var walker = new SnapshotWalker(repository.Fetcher);
        var places = new List<ChunkLocation>();
        var lost = false;
        var seen = new HashSet<string>();
        List<string> ids;
        do
        {
            ids = await repository.Snapshots.ListIdsAsync(null, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
            await repository.Index.RefreshAsync(cancellationToken).ConfigureAwait(false); // a record is committed after its segments
            if (repository.Index.Damaged.Count > 0)
                throw new RepositoryException($"Nothing was collected: {repository.Index.Damaged[0].Message}", repository.Index.Damaged[0]);
            foreach (var id in ids.Where(i => !without.Contains(i) && seen.Add(i)))
                if (await repository.Snapshots.FindAsync(id, cancellationToken).ConfigureAwait(false) is { } snapshot)
                    await MarkAsync(snapshot).ConfigureAwait(false);
        }
        while (!await IsWholeAsync(repository, ids, cancellationToken).ConfigureAwait(false));

        if (lost) live._named = [.. repository.Index.Packs().Select(p => p.Name)];
        return live;

        async ValueTask MarkAsync(Snapshot snapshot)
        {
            DamageException? damage = null;
            await walker.WalkAsync(
                snapshot,
                async (_, item) =>
                {
                    // A lost chunk keeps nothing alive; a lost part of a catalog hides what must be kept.
                    await repository.Index.FindKeptAsync(item.Id, places, cancellationToken).ConfigureAwait(false);
                    lost |= places.Count == 0;
                    foreach (var place in places) live.Mark(place);
                    return true;
                },
                (entry, e) => damage ??= e, cancellationToken).ConfigureAwait(false);
            if (damage?.ObjectName.StartsWith(IndexFormat.Prefix, StringComparison.Ordinal) == true)
                throw new RepositoryException($"Nothing was collected: {damage.Message}", damage);
            if (damage is not null)
                throw new RepositoryException(
                    $"Recovery point {snapshot.Id} is damaged, so it is not known what it needs; run 'fbackup repository repair', or remove it, then prune again.",
                    damage);
        }
    }

    /// <summary>
    /// Whether a list of recovery points holds. One that went while it was made may have had a successor that took its chunks over, and came too
    /// late for it; and a store may list neither of two that changed places meanwhile. Then the list is made again.
    /// </summary>
    private static async ValueTask<bool> IsWholeAsync(BackupRepository repository, List<string> ids, CancellationToken cancellationToken)
    {
        var now = await repository.Snapshots.ListIdsAsync(null, cancellationToken).ToHashSetAsync(null, cancellationToken).ConfigureAwait(false);
        return now.SetEquals(ids);
    }

    /// <summary>Carries over what is known of segments to those that they were merged into.</summary>
    public void Replace(IEnumerable<IndexSegment> old, IEnumerable<IndexSegment> merged)
    {
        var places = new HashSet<(string Pack, uint Offset)>();
        foreach (var segment in old)
        {
            for (var i = 0; i < segment.Blocks.Length; i++)
                if (IsLive(segment, i)) places.Add((segment.Packs[segment.Blocks[i].Pack].Name, segment.Blocks[i].Offset));
            _segments.Remove(segment.Name);
        }

        foreach (var segment in merged)
            for (var i = 0; i < segment.Blocks.Length; i++)
                if (places.Contains((segment.Packs[segment.Blocks[i].Pack].Name, segment.Blocks[i].Offset)))
                    Mark(new ChunkLocation(segment, i, 0, 0));
    }

    private void Mark(ChunkLocation location)
    {
        if (!_segments.TryGetValue(location.Segment.Name, out var bits))
            _segments.Add(location.Segment.Name, bits = new BitArray(location.Segment.Blocks.Length));
        if (bits[location.Block]) return;
        bits[location.Block] = true;
        _packs.Add(location.Pack.Name);
    }
}
