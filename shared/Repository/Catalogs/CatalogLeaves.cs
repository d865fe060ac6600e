using System.Runtime.CompilerServices;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Reading;

namespace FunctionsBackup.Repository.Catalogs;

/// <summary>A leaf of a catalog as read back.</summary>
/// <param name="Item">Its chunk.</param>
/// <param name="Bytes">Its bytes, or null.</param>
/// <param name="Damage">Why there are none.</param>
internal readonly record struct CatalogLeaf(ContentItem Item, byte[]? Bytes, DamageException? Damage);

/// <summary>Reads the leaves of catalogs, some megabytes at a time.</summary>
internal static class CatalogLeaves
{
    private const int BatchBytes = 4 << 20;

    /// <summary>The leaves in order; those that <paramref name="skip"/> accepts are left out unread.</summary>
    /// <exception cref="DamageException">A list above the leaves is damaged.</exception>
    public static async IAsyncEnumerable<CatalogLeaf> ReadAsync(
        ChunkFetcher fetcher, ContentRef catalog, Predicate<ContentItem>? skip, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var batch = new List<ContentItem>();
        var bytes = 0L;
        await foreach (var item in ContentReader.ReadItemsAsync(fetcher, catalog, cancellationToken).ConfigureAwait(false))
        {
            if (item.IsHole) throw new DamageException("catalog", "A catalog has a hole.");
            if (skip?.Invoke(item) == true) continue;
            batch.Add(item);
            bytes += item.Length;
            if (bytes < BatchBytes) continue;
            foreach (var leaf in await ReadBatchAsync(fetcher, batch, cancellationToken).ConfigureAwait(false)) yield return leaf;
            batch.Clear();
            bytes = 0;
        }

        foreach (var leaf in await ReadBatchAsync(fetcher, batch, cancellationToken).ConfigureAwait(false)) yield return leaf;
    }

    private static async ValueTask<CatalogLeaf[]> ReadBatchAsync(ChunkFetcher fetcher, List<ContentItem> batch, CancellationToken cancellationToken)
    {
        var leaves = new CatalogLeaf[batch.Count];
        if (batch.Count == 0) return leaves;
        await fetcher.ReadChunksAsync(
            [.. batch.Select((item, i) => new ChunkRequest(item.Id, (int)item.Length, i, 0))], 2,
            (request, data, _) =>
            {
                leaves[request.Target] = new CatalogLeaf(batch[request.Target], data.ToArray(), null);
                return ValueTask.CompletedTask;
            },
            (request, damage) => leaves[request.Target] = new CatalogLeaf(batch[request.Target], null, damage),
            cancellationToken).ConfigureAwait(false);
        return leaves;
    }
}
