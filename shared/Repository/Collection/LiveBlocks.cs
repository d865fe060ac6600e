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

    /// <summary>Packs with at least one needed block.</summary>
    public IReadOnlySet<string> Packs => _packs;

    public bool IsLive(IndexSegment segment, int block) => _segments.TryGetValue(segment.Name, out var bits) && bits[block];

    /// <summary>Marks all that the recovery points need.</summary>
    /// <exception cref="RepositoryException">
    /// A recovery point cannot be walked: nothing may be collected, since what it needs is not known.
    /// </exception>
    public static async ValueTask<LiveBlocks> FindAsync(BackupRepository repository, CancellationToken cancellationToken)
    {
        var live = new LiveBlocks();
        var walker = new SnapshotWalker(repository.Fetcher);
        var ids = await repository.Snapshots.ListIdsAsync(null, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        await repository.Index.RefreshAsync(cancellationToken).ConfigureAwait(false); // a record is committed after its segments
        foreach (var id in ids)
        {
            if (await repository.Snapshots.FindAsync(id, cancellationToken).ConfigureAwait(false) is not { } snapshot) continue;
            DamageException? damage = null;
            await walker.WalkAsync(
                snapshot,
                async (_, item) =>
                {
                    // A lost chunk keeps nothing alive; a lost part of a catalog hides what must be kept.
                    if (await repository.Index.FindAsync(item.Id, cancellationToken).ConfigureAwait(false) is { } location) live.Mark(location);
                    return true;
                },
                (entry, e) => damage ??= e, cancellationToken).ConfigureAwait(false);
            if (damage is not null)
                throw new RepositoryException(
                    $"Recovery point {snapshot.Id} is damaged, so it is not known what it needs; run 'fbackup repository repair', or remove it, then prune again.",
                    damage);
        }

        return live;
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
