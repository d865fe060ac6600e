using System.Buffers;
using System.Threading.Channels;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// One file of the base backup's stream on its way to a worker: the reader of the stream fills pieces, the worker stores them. At most
/// <see cref="Capacity"/> pieces wait, so that a slow worker slows the stream down instead of filling memory.
/// </summary>
/// <param name="inspector">Checks the pages of a relation file; null for other files.</param>
internal sealed class StreamedFile(PageInspector? inspector) : IContentSource, IDisposable
{
    /// <summary>A multiple of every page size.</summary>
    public const int PieceSize = 256 << 10;

    public const int Capacity = 16;

    private readonly Channel<(byte[] Bytes, int Length)> _pieces = Channel.CreateBounded<(byte[] Bytes, int Length)>(
        new BoundedChannelOptions(Capacity) { SingleReader = true, SingleWriter = true });

    private byte[]? _filling;
    private int _filled;
    private (byte[] Bytes, int Length) _reading;
    private int _read;
    private long _position;

    /// <summary>Takes a copy of bytes of the file, in order.</summary>
    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty)
        {
            _filling ??= ArrayPool<byte>.Shared.Rent(PieceSize);
            var count = Math.Min(bytes.Length, PieceSize - _filled);
            bytes[..count].CopyTo(_filling.AsMemory(_filled));
            bytes = bytes[count..];
            _filled += count;
            if (_filled == PieceSize) await FlushAsync(cancellationToken);
        }
    }

    /// <summary>Says that the file is complete. A worker that failed in the meantime has its own reason; it is not this side's failure.</summary>
    public async ValueTask CompleteAsync(CancellationToken cancellationToken)
    {
        if (_filled > 0) await FlushAsync(cancellationToken);
        _pieces.Writer.TryComplete();
    }

    /// <summary>Makes the other side fail: the file will not come to its end, or nobody reads it any more.</summary>
    public void Abort(Exception reason) => _pieces.Writer.TryComplete(reason);

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        var piece = (_filling!, _filled);
        (_filling, _filled) = (null, 0);
        await _pieces.Writer.WriteAsync(piece, cancellationToken);
    }

    public async ValueTask<ContentRun> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        if (_read == _reading.Length && !await NextAsync(cancellationToken)) return new ContentRun(0);
        var count = Math.Min(buffer.Length, _reading.Length - _read);
        if (inspector is not null && count > inspector.PageSize) count -= count % inspector.PageSize;
        var bytes = _reading.Bytes.AsMemory(_read, count);
        inspector?.Inspect(bytes.Span, _position, null);
        bytes.CopyTo(buffer);
        _read += count;
        _position += count;
        return new ContentRun(count);
    }

    /// <summary>Reads exactly this much.</summary>
    /// <exception cref="PostgresBackupException">The file ends before.</exception>
    public async ValueTask ReadExactlyAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        while (!buffer.IsEmpty)
        {
            var run = await ReadAsync(buffer, cancellationToken);
            if (run.Bytes == 0) throw new PostgresBackupException("A file of the base backup ends too early.");
            buffer = buffer[run.Bytes..];
        }
    }

    /// <summary>Waits for the end of the file, so that a worker that needs no more bytes does not let go of a file that is being sent.</summary>
    /// <exception cref="PostgresBackupException">There are more bytes.</exception>
    public async ValueTask ReadEndAsync(CancellationToken cancellationToken)
    {
        if (_read < _reading.Length || await NextAsync(cancellationToken))
            throw new PostgresBackupException("A file of the base backup goes on after its end.");
    }

    private async ValueTask<bool> NextAsync(CancellationToken cancellationToken)
    {
        Release();
        try
        {
            _reading = await _pieces.Reader.ReadAsync(cancellationToken);
            return true;
        }
        catch (ChannelClosedException closed) when (closed.InnerException is null)
        {
            return false;
        }
    }

    private void Release()
    {
        if (_reading.Bytes is { } bytes) ArrayPool<byte>.Shared.Return(bytes);
        _reading = default;
        _read = 0;
    }

    public void Dispose()
    {
        Abort(new ObjectDisposedException(nameof(StreamedFile)));
        Release();
        while (_pieces.Reader.TryRead(out var piece)) ArrayPool<byte>.Shared.Return(piece.Bytes);
    }
}
