using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Repository.Contents;

/// <summary>
/// Puts a content together run by run: chunks are stored unless the repository has them, lists of items become list chunks as they grow.
/// Not for concurrent use; many builders may work at once.
/// </summary>
public sealed class ContentBuilder
{
    private readonly BackupSession _session;
    private readonly PackKind _kind;
    private readonly List<List<ContentItem>> _levels = [[]];
    private long _size;

    internal ContentBuilder(BackupSession session, PackKind kind)
    {
        _session = session;
        _kind = kind;
    }

    /// <summary>Adds a chunk of new or known bytes, at most <see cref="ContentLimits.MaximumChunkSize"/>; copied before the call returns.</summary>
    public async ValueTask AddChunkAsync(ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken)
    {
        if (plaintext.IsEmpty) return;
        if (plaintext.Length > ContentLimits.MaximumChunkSize)
            throw new ArgumentOutOfRangeException(nameof(plaintext), plaintext.Length, "Longer than the largest chunk.");
        await AddChunkAsync(_session.ComputeId(plaintext.Span), plaintext, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same when the id has been computed already.</summary>
    internal ValueTask AddChunkAsync(ChunkId id, ReadOnlyMemory<byte> plaintext, CancellationToken cancellationToken) =>
        AddChunkAsync(new ContentItem(id, plaintext.Length), plaintext, cancellationToken);

    /// <summary>The same of what was sealed before: <paramref name="stored"/> goes into a pack as it is.</summary>
    internal async ValueTask AddChunkAsync(ContentItem item, ReadOnlyMemory<byte> stored, CancellationToken cancellationToken)
    {
        await _session.StoreChunkAsync(_kind, item.Id, stored, cancellationToken).ConfigureAwait(false);
        await AddAsync(0, item, cancellationToken).ConfigureAwait(false);
        _size += item.Length;
    }

    /// <summary>Takes over a run of an earlier content: nothing is read or stored.</summary>
    public async ValueTask AddItemAsync(ContentItem item, CancellationToken cancellationToken)
    {
        if (item.Length == 0) return;
        if (item.Length < 0 || (!item.IsHole && item.Length > ContentLimits.MaximumChunkSize))
            throw new ArgumentOutOfRangeException(nameof(item), item.Length, "Not a possible length of a content item.");
        if (item.IsHole && _levels[0] is [.., { IsHole: true } last] list)
            list[^1] = ContentItem.Hole(last.Length + item.Length);
        else
            await AddAsync(0, item, cancellationToken).ConfigureAwait(false);
        _size += item.Length;
    }

    public async ValueTask<ContentRef> CompleteAsync(CancellationToken cancellationToken)
    {
        // Close levels upwards until the top one is short enough to be kept inline.
        for (var level = 0; ; level++)
        {
            var isTop = level == _levels.Count - 1;
            if (isTop && _levels[level].Count <= ContentLimits.MaximumInlineItems)
                return new ContentRef(_size, level, [.. _levels[level]]);
            if (_levels[level].Count > 0) await CloseListAsync(level, cancellationToken).ConfigureAwait(false);
        }
    }

    private async ValueTask AddAsync(int level, ContentItem item, CancellationToken cancellationToken)
    {
        if (_levels[level].Count == ContentLimits.ItemsPerList) await CloseListAsync(level, cancellationToken).ConfigureAwait(false);
        _levels[level].Add(item);
    }

    private async ValueTask CloseListAsync(int level, CancellationToken cancellationToken)
    {
        var items = _levels[level];
        var bytes = new byte[items.Count * ItemList.ItemSize];
        for (var i = 0; i < items.Count; i++) ItemList.Write(bytes.AsSpan(i * ItemList.ItemSize), items[i]);
        items.Clear();
        if (_levels.Count == level + 1) _levels.Add([]);
        var id = _session.ComputeId(bytes);
        await _session.StoreChunkAsync(PackKind.Metadata, id, bytes, cancellationToken).ConfigureAwait(false);
        await AddAsync(level + 1, new ContentItem(id, bytes.Length), cancellationToken).ConfigureAwait(false);
    }
}
