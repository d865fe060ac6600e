using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Reading;

namespace FunctionsBackup.Repository.Snapshots;

/// <summary>
/// Visits every chunk that recovery points need. Leaves and lists that were found in order are not opened again for another recovery
/// point, so that walking a thousand similar ones costs little more than walking one.
/// </summary>
internal sealed class SnapshotWalker(ChunkFetcher fetcher)
{
    private readonly HashSet<ChunkId> _clean = [];

    /// <summary>Visits one recovery point.</summary>
    /// <param name="snapshot">Which.</param>
    /// <param name="check">
    /// Called for each chunk, with the file it belongs to (null: a part of the catalog itself); false says that it is lost. A lost leaf or
    /// list is not opened.
    /// </param>
    /// <param name="onDamage">Called for a leaf or list that cannot be read although its check passed.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>True if nothing is lost.</returns>
    public async ValueTask<bool> WalkAsync(
        Snapshot snapshot,
        Func<CatalogEntry?, ContentItem, ValueTask<bool>> check,
        Action<CatalogEntry?, DamageException> onDamage,
        CancellationToken cancellationToken)
    {
        var whole = true;
        try
        {
            await foreach (var (item, isList) in ContentReader.ReadAllAsync(fetcher, snapshot.Catalog, cancellationToken).ConfigureAwait(false))
                if (isList) whole &= await check(null, item).ConfigureAwait(false);
            await foreach (var leaf in CatalogLeaves.ReadAsync(fetcher, snapshot.Catalog, i => _clean.Contains(i.Id), cancellationToken)
                .ConfigureAwait(false))
                whole &= await WalkLeafAsync(snapshot.Id, leaf, check, onDamage, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException e)
        {
            onDamage(null, e);
            return false;
        }

        return whole;
    }

    private async ValueTask<bool> WalkLeafAsync(
        string snapshotId, CatalogLeaf leaf, Func<CatalogEntry?, ContentItem, ValueTask<bool>> check,
        Action<CatalogEntry?, DamageException> onDamage, CancellationToken cancellationToken)
    {
        if (!await check(null, leaf.Item).ConfigureAwait(false)) return false;
        if (leaf.Damage is not null)
        {
            onDamage(null, leaf.Damage);
            return false;
        }

        var whole = true;
        foreach (var entry in CatalogReader.Decode(snapshotId, leaf.Bytes))
            if (entry.Content is { } content)
                foreach (var item in content.Items)
                    whole &= await WalkItemAsync(entry, item, content.Depth, check, onDamage, cancellationToken).ConfigureAwait(false);
        if (whole) _clean.Add(leaf.Item.Id);
        return whole;
    }

    private async ValueTask<bool> WalkItemAsync(
        CatalogEntry entry, ContentItem item, int depth, Func<CatalogEntry?, ContentItem, ValueTask<bool>> check,
        Action<CatalogEntry?, DamageException> onDamage, CancellationToken cancellationToken)
    {
        if (item.IsHole || (depth > 0 && _clean.Contains(item.Id))) return true;
        if (!await check(entry, item).ConfigureAwait(false)) return false;
        if (depth == 0) return true;
        var whole = true;
        try
        {
            foreach (var below in ItemList.Decode(await fetcher.ReadChunkAsync(item.Id, (int)item.Length, cancellationToken).ConfigureAwait(false)))
                whole &= await WalkItemAsync(entry, below, depth - 1, check, onDamage, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException e)
        {
            onDamage(entry, e);
            return false;
        }
        catch (InvalidDataException e)
        {
            onDamage(entry, new DamageException($"chunk {item.Id}", $"List chunk {item.Id} is damaged: {e.Message}", e));
            return false;
        }

        if (whole) _clean.Add(item.Id);
        return whole;
    }
}
