namespace FunctionsBackup.Repository.Contents;

/// <summary>
/// Follows the same content in the recovery point before. A chunk that comes where the parent had it is known to be in the repository
/// (a committed recovery point refers to it), so that no index lookup is needed.
/// </summary>
internal sealed class ParentCursor(IAsyncEnumerable<ContentItem>? items, bool aligned) : IAsyncDisposable
{
    /// <summary>How many items ahead a content-defined chunk is looked for after a change.</summary>
    private const int LookAhead = 16;

    private readonly IAsyncEnumerator<ContentItem>? _items = items?.GetAsyncEnumerator();
    private readonly List<ContentItem> _window = [];
    private bool _ended;

    /// <summary>Whether the parent has this chunk at about this place.</summary>
    public async ValueTask<bool> ExpectsAsync(ChunkId id, CancellationToken cancellationToken)
    {
        if (_items is null) return false;
        var reach = aligned ? 1 : LookAhead;
        for (var i = 0; i < reach; i++)
        {
            if (i == _window.Count && !await FetchAsync(cancellationToken).ConfigureAwait(false)) break;
            if (_window[i].Id != id) continue;
            _window.RemoveRange(0, i + 1);
            return true;
        }

        if (aligned && _window.Count > 0) _window.RemoveAt(0);
        return false;
    }

    public ValueTask DisposeAsync() => _items?.DisposeAsync() ?? ValueTask.CompletedTask;

    private async ValueTask<bool> FetchAsync(CancellationToken cancellationToken)
    {
        while (!_ended)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                _ended = !await _items!.MoveNextAsync().ConfigureAwait(false);
            }
            catch (DamageException)
            {
                _ended = true; // only a hint: what it would have named is looked up instead
            }

            if (_ended) break;
            if (!_items!.Current.IsHole)
            {
                _window.Add(_items.Current);
                return true;
            }
        }

        return false;
    }
}
