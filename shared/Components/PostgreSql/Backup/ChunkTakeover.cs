using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Walks through an earlier content of a relation file chunk by chunk, on the grid of <see cref="ContentLimits.PageChunkSize"/>: tells which
/// run of it begins where a chunk begins. Chunks must be asked for in rising order.
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
        while (!_ended && _offset + _item.Length <= offset)
        {
            _offset += _item.Length;
            if (await _items.MoveNextAsync()) _item = _items.Current;
            else _ended = true;
        }

        if (_ended || _offset > offset) return null;
        if (_item.IsHole) return ContentItem.Hole(Math.Min(length, _offset + _item.Length - offset));
        return _offset == offset ? _item : null;
    }

    public ValueTask DisposeAsync() => _items.DisposeAsync();
}
