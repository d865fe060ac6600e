using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Reading;

/// <summary>A content as a forward-only stream.</summary>
internal sealed class ContentStream(ChunkFetcher fetcher, ContentRef content) : Stream
{
    private readonly CancellationTokenSource _stop = new();
    private IAsyncEnumerator<ContentItem>? _items;
    private byte[] _chunk = [];
    private int _at;
    private long _hole;
    private long _position;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => content.Size;

    public override long Position
    {
        get => _position;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty) return 0;
        while (_at == _chunk.Length && _hole == 0)
            if (!await NextAsync(cancellationToken).ConfigureAwait(false)) return 0;
        int count;
        if (_hole > 0)
        {
            count = (int)Math.Min(_hole, buffer.Length);
            buffer.Span[..count].Clear();
            _hole -= count;
        }
        else
        {
            count = Math.Min(_chunk.Length - _at, buffer.Length);
            _chunk.AsSpan(_at, count).CopyTo(buffer.Span);
            _at += count;
        }

        _position += count;
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("Read this stream asynchronously.");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override async ValueTask DisposeAsync()
    {
        if (_items is not null) await _items.DisposeAsync().ConfigureAwait(false);
        _items = null;
        await base.DisposeAsync().ConfigureAwait(false);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _stop.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        _items ??= ContentReader.ReadItemsAsync(fetcher, content, _stop.Token).GetAsyncEnumerator(CancellationToken.None);
        if (!await _items.MoveNextAsync().ConfigureAwait(false)) return false;
        var item = _items.Current;
        if (item.IsHole)
        {
            _hole = item.Length;
            return true;
        }

        if (item.Sealed != 0) throw new InvalidOperationException("The content is sealed for a data subject: restore it instead.");
        _chunk = await fetcher.ReadChunkAsync(item.Id, (int)item.Length, cancellationToken).ConfigureAwait(false);
        _at = 0;
        return true;
    }
}
