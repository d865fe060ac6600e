using System.Buffers;

namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>Where the serialized value of a large key goes.</summary>
public interface IRdbValueSink
{
    /// <summary>The next bytes; they are good until the call returns.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);
}

/// <summary>
/// Bytes of an RDB as they come, with their checksum, and the bytes of one value kept as they pass: in the buffer while they are few, else handed to a
/// sink. Not for concurrent use.
/// </summary>
internal sealed class RdbInput(Func<Memory<byte>, CancellationToken, ValueTask<int>> read, int inlineLimit) : IDisposable
{
    private const int BufferSize = 1 << 20;

    private readonly byte[] _buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
    private int _begin, _end, _summed, _kept = -1;
    private long _keptBefore;
    private Func<ValueTask<IRdbValueSink>>? _open;
    private IRdbValueSink? _sink;
    private ulong _crc;

    /// <summary>Bytes consumed so far.</summary>
    public long Position { get; private set; }

    /// <summary>The checksum of all that was consumed.</summary>
    public ulong Crc
    {
        get
        {
            Sum();
            return _crc;
        }
    }

    public ReadOnlySpan<byte> Ahead => _buffer.AsSpan(_begin, _end - _begin);

    /// <summary>Makes sure that so many bytes lie ahead; at most 64 KiB.</summary>
    public ValueTask EnsureAsync(int count, CancellationToken cancellationToken) =>
        _end - _begin >= count ? default : FillAsync(count, cancellationToken);

    public void Advance(int count)
    {
        _begin += count;
        Position += count;
    }

    public async ValueTask<byte> ReadByteAsync(CancellationToken cancellationToken)
    {
        if (_begin == _end) await FillAsync(1, cancellationToken).ConfigureAwait(false);
        Position++;
        return _buffer[_begin++];
    }

    public ValueTask SkipAsync(long count, CancellationToken cancellationToken)
    {
        if (count > _end - _begin) return SkipFarAsync(count, cancellationToken);
        Advance((int)count);
        return default;
    }

    /// <summary>Copies the next bytes out.</summary>
    public async ValueTask ReadAsync(Memory<byte> destination, CancellationToken cancellationToken)
    {
        while (!destination.IsEmpty)
        {
            if (_begin == _end) await FillAsync(1, cancellationToken).ConfigureAwait(false);
            var length = Math.Min(destination.Length, _end - _begin);
            _buffer.AsSpan(_begin, length).CopyTo(destination.Span);
            Advance(length);
            destination = destination[length..];
        }
    }

    /// <summary>From here on bytes are kept.</summary>
    /// <param name="open">Makes the sink when they become too many.</param>
    public void Keep(Func<ValueTask<IRdbValueSink>> open) => (_kept, _keptBefore, _open, _sink) = (_begin, 0, open, null);

    /// <summary>Up to here. The bytes themselves if they are few; null: they are in the sink.</summary>
    public async ValueTask<(ReadOnlyMemory<byte>? Bytes, long Length)> TakeKeptAsync(CancellationToken cancellationToken)
    {
        var bytes = _buffer.AsMemory(_kept, _begin - _kept);
        var length = _keptBefore + bytes.Length;
        if (_sink is null && bytes.Length > inlineLimit) _sink = await _open!().ConfigureAwait(false);
        if (_sink is not null && bytes.Length > 0) await _sink.WriteAsync(bytes, cancellationToken).ConfigureAwait(false);
        _kept = -1;
        ReadOnlyMemory<byte>? kept = bytes;
        return (_sink is null ? kept : null, length);
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);

    private async ValueTask SkipFarAsync(long count, CancellationToken cancellationToken)
    {
        while (count > 0)
        {
            if (_begin == _end) await FillAsync(1, cancellationToken).ConfigureAwait(false);
            var length = (int)Math.Min(count, _end - _begin);
            Advance(length);
            count -= length;
        }
    }

    private async ValueTask FillAsync(int count, CancellationToken cancellationToken)
    {
        if (_kept >= 0 && _begin - _kept > inlineLimit)
        {
            _sink ??= await _open!().ConfigureAwait(false);
            await _sink.WriteAsync(_buffer.AsMemory(_kept, _begin - _kept), cancellationToken).ConfigureAwait(false);
            _keptBefore += _begin - _kept;
            _kept = _begin;
        }

        Sum();
        var from = _kept >= 0 ? _kept : _begin;
        if (from > 0)
        {
            _buffer.AsSpan(from, _end - from).CopyTo(_buffer);
            (_begin, _end, _summed) = (_begin - from, _end - from, _summed - from);
            if (_kept >= 0) _kept = 0;
        }

        while (_end - _begin < count)
        {
            var got = await read(_buffer.AsMemory(_end, BufferSize - _end), cancellationToken).ConfigureAwait(false);
            if (got == 0) throw new RdbFormatException("The RDB ends too early; was its transfer broken off?");
            _end += got;
        }
    }

    private void Sum()
    {
        _crc = RdbCrc64.Append(_crc, _buffer.AsSpan(_summed, _begin - _summed));
        _summed = _begin;
    }
}
