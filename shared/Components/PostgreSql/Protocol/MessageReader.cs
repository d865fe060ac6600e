using System.Buffers;
using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Protocol;

/// <summary>
/// Reads the server's messages: a type byte, a length that counts itself but not the type, a body (PostgreSQL manual, 55.7). Bodies of
/// control messages are given whole, those of CopyData in whatever pieces have arrived, so that bulk data is copied only once.
/// </summary>
internal sealed class MessageReader(Stream stream) : IDisposable
{
    /// <summary>Also the longest control message that is accepted.</summary>
    private const int BufferSize = 512 << 10;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _start;
    private int _end;

    /// <summary>Bytes of the current message's body that were not yet given out.</summary>
    public int Remaining { get; private set; }

    /// <summary>The next message's type; what is left of the one before must have been read or be skipped here.</summary>
    /// <exception cref="PostgresProtocolException">The connection ended, or the length is impossible.</exception>
    public async ValueTask<byte> NextAsync(CancellationToken cancellationToken)
    {
        while (Remaining > 0) await PieceAsync(cancellationToken);
        if (_end - _start < 5) await FillAsync(5, cancellationToken);
        var type = _buffer[_start];
        var length = BinaryPrimitives.ReadInt32BigEndian(_buffer.AsSpan(_start + 1));
        if (length < 4) throw PostgresProtocolException.Violation("The server sent a message with an impossible length.");
        _start += 5;
        Remaining = length - 4;
        return type;
    }

    /// <summary>The whole body, valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> BodyAsync(CancellationToken cancellationToken)
    {
        var length = Remaining;
        if (length > BufferSize) throw PostgresProtocolException.Violation($"The server sent a control message of {length} bytes.");
        if (_end - _start < length) await FillAsync(length, cancellationToken);
        var body = _buffer.AsMemory(_start, length);
        _start += length;
        Remaining = 0;
        return body;
    }

    /// <summary>The first byte of the body, which says what the rest is; the rest stays to be read.</summary>
    public async ValueTask<byte> FirstByteAsync(CancellationToken cancellationToken)
    {
        if (Remaining == 0) throw PostgresProtocolException.Violation("The server sent an empty copy message.");
        if (_start == _end) await FillAsync(1, cancellationToken);
        Remaining--;
        return _buffer[_start++];
    }

    /// <summary>What is there of the body, at least one byte unless it is at its end; valid until the next call.</summary>
    public async ValueTask<ReadOnlyMemory<byte>> PieceAsync(CancellationToken cancellationToken)
    {
        if (Remaining == 0) return ReadOnlyMemory<byte>.Empty;
        if (_start == _end) await FillAsync(1, cancellationToken);
        var length = Math.Min(Remaining, _end - _start);
        var piece = _buffer.AsMemory(_start, length);
        _start += length;
        Remaining -= length;
        return piece;
    }

    private async ValueTask FillAsync(int needed, CancellationToken cancellationToken)
    {
        if (_start == _end) _start = _end = 0;
        if (_start + needed > BufferSize)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        while (_end - _start < needed)
        {
            int read;
            try
            {
                read = await stream.ReadAsync(_buffer.AsMemory(_end, BufferSize - _end), cancellationToken);
            }
            catch (IOException exception)
            {
                throw PostgresProtocolException.Lost($"The connection to the server was lost: {exception.Message}", exception);
            }

            if (read == 0) throw PostgresProtocolException.Lost("The server closed the connection.");
            _end += read;
        }
    }

    public void Dispose()
    {
        var buffer = Interlocked.Exchange(ref _buffer, []);
        if (buffer.Length > 0) ArrayPool<byte>.Shared.Return(buffer);
    }
}
