using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Walks through an earlier content of a relation file run by run: tells which runs of it lie where a chunk does. Earlier chunks may have
/// another size than today's (<see cref="ContentLimits.PageChunk"/>). Places must be asked for in rising order.
/// </summary>
internal sealed class ChunkTakeover(BackupRepository repository, ContentRef content, CancellationToken cancellationToken) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<ContentItem> _items =
        repository.ReadItemsAsync(content, cancellationToken).GetAsyncEnumerator(cancellationToken);

    private ContentItem _item;
    private long _offset;
    private bool _ended;

    /// <summary>
    /// The run that begins at <paramref name="offset"/>: a stored chunk, whose length may differ, or as much of a hole as is left, at most
    /// <paramref name="length"/>; null if none begins there.
    /// </summary>
    public async ValueTask<ContentItem?> FindAsync(long offset, int length)
    {
        await SkipToAsync(offset);
        if (_ended || _offset > offset) return null;
        if (_item.IsHole) return ContentItem.Hole(Math.Min(length, _offset + _item.Length - offset));
        return _offset == offset ? _item : null;
    }

    /// <summary>Adds the runs that have bytes in a stretch, with where they begin, to a list.</summary>
    public async ValueTask FindAllAsync(long from, long to, List<(long Offset, ContentItem Item)> found)
    {
        await SkipToAsync(from);
        while (!_ended && _offset < to)
        {
            found.Add((_offset, _item));
            if (_offset + _item.Length >= to) return; // the next stretch may need the rest of it
            await SkipToAsync(_offset + _item.Length);
        }
    }

    private async ValueTask SkipToAsync(long offset)
    {
        while (!_ended && _offset + _item.Length <= offset)
        {
            _offset += _item.Length;
            if (await _items.MoveNextAsync()) _item = _items.Current;
            else _ended = true;
        }
    }

    public ValueTask DisposeAsync() => _items.DisposeAsync();
}
