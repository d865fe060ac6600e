using System.Runtime.CompilerServices;
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
        ReadOnlyMemory<byte> last = default;
        await foreach (var leaf in CatalogLeaves.ReadAsync(fetcher, snapshot.Catalog, null, cancellationToken).ConfigureAwait(false))
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
