using System.Runtime.CompilerServices;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Reading;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Catalogs;

/// <summary>Streams the entries of a snapshot.</summary>
internal static class CatalogReader
{
    /// <exception cref="DamageException">A part of the catalog is missing or damaged.</exception>
    public static async IAsyncEnumerable<CatalogEntry> ReadAsync(
        ChunkFetcher fetcher, Snapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var entry in ReadAsync(fetcher, snapshot, default, cancellationToken).ConfigureAwait(false)) yield return entry;
    }

    /// <summary>From the leaf on in which <paramref name="from"/> is or would be.</summary>
    /// <exception cref="DamageException">A part of the catalog is missing or damaged.</exception>
    public static async IAsyncEnumerable<CatalogEntry> ReadAsync(
        ChunkFetcher fetcher, Snapshot snapshot, ReadOnlyMemory<byte> from, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ReadOnlyMemory<byte> last = default;
        var left = from.IsEmpty ? 0 : await CountLeavesBeforeAsync(fetcher, snapshot, from, cancellationToken).ConfigureAwait(false);
        await foreach (var leaf in CatalogLeaves.ReadAsync(fetcher, snapshot.Catalog, _ => left-- > 0, cancellationToken).ConfigureAwait(false))
        {
            if (leaf.Damage is { } damage)
                throw new DamageException(damage.ObjectName, $"The catalog of recovery point {snapshot.Id} is damaged: {damage.Message}", damage);
            var entries = Decode(snapshot.Id, leaf.Bytes!);
            if (entries.Count > 0 && !last.IsEmpty && CatalogOrder.Compare(last.Span, entries[0].Path.Span) >= 0)
                throw Damaged(snapshot.Id, "its leaves are out of order");
            foreach (var entry in entries) yield return entry;
            if (entries.Count > 0) last = entries[^1].Path;
        }
    }

    /// <summary>Finds the leaf by its first entry: reads about as many leaves as the number of leaves has bits.</summary>
    private static async ValueTask<int> CountLeavesBeforeAsync(
        ChunkFetcher fetcher, Snapshot snapshot, ReadOnlyMemory<byte> from, CancellationToken cancellationToken)
    {
        var leaves = await ContentReader.ReadItemsAsync(fetcher, snapshot.Catalog, cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        var (low, high) = (0, leaves.Count); // the answer is in [low, high): the last leaf that does not begin after it
        while (high - low > 1)
        {
            var middle = (low + high) / 2;
            if (leaves[middle].IsHole) throw Damaged(snapshot.Id, "it has a hole");
            var leaf = await fetcher.ReadChunkAsync(leaves[middle].Id, (int)leaves[middle].Length, cancellationToken).ConfigureAwait(false);
            var entries = Decode(snapshot.Id, leaf);
            if (entries.Count > 0 && CatalogOrder.Compare(entries[0].Path.Span, from.Span) > 0) high = middle;
            else low = middle;
        }

        return low;
    }

    /// <summary>The decoded entries of one leaf.</summary>
    /// <exception cref="DamageException">It is not a leaf.</exception>
    public static List<CatalogEntry> Decode(string snapshotId, ReadOnlySpan<byte> leaf)
    {
        try
        {
            return CatalogCodec.ReadLeaf(leaf);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(snapshotId, "a leaf cannot be read", e);
        }
    }

    private static DamageException Damaged(string id, string why, Exception? inner = null) =>
        new($"snapshots/{id}", $"The catalog of recovery point {id} is damaged: {why}.", inner);
}
