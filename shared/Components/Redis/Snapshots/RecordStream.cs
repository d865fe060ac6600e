using System.Buffers;
using System.Buffers.Binary;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>The records of one layer, one after the other. Not for concurrent use.</summary>
internal sealed class RecordStream(Stream stream, string snapshot) : IAsyncDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
    private int _begin, _end;
    private RdbRecord _record;
    private ReadOnlyMemory<byte> _name;

    /// <summary>Of the record that it stands at; null: it is at the end.</summary>
    public ulong? Hash { get; private set; }

    public RdbRecord Record => _record;

    /// <summary>Of a large value.</summary>
    public ReadOnlyMemory<byte> Name => _name;

    /// <summary>The record as it is stored.</summary>
    public ReadOnlyMemory<byte> Bytes { get; private set; }

    public bool IsTombstone { get; private set; }

    public async ValueTask MoveAsync(CancellationToken cancellationToken)
    {
        var before = Hash;
        while (true)
        {
            if (_end - _begin > 8)
            {
                var length = RecordCodec.Read(_buffer.AsMemory(_begin + 8, _end - _begin - 8), out _record, out _name, out var isTombstone);
                if (length > 0)
                {
                    (Hash, IsTombstone) = (BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(_begin)), isTombstone);
                    if (Hash < before) throw Damaged();
                    Bytes = _buffer.AsMemory(_begin + 8, length);
                    _begin += 8 + length;
                    return;
                }

                if (length < 0) throw Damaged();
            }

            if (!await FillAsync(cancellationToken).ConfigureAwait(false))
            {
                if (_begin != _end) throw Damaged();
                Hash = null;
                return;
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        return stream.DisposeAsync();
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_begin == 0 && _end == _buffer.Length)
        {
            // One record is longer than all there is room for: a long key.
            var larger = ArrayPool<byte>.Shared.Rent(checked(_buffer.Length * 2));
            _buffer.AsSpan(0, _end).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
            _buffer = larger;
        }

        _buffer.AsSpan(_begin, _end - _begin).CopyTo(_buffer);
        (_begin, _end) = (0, _end - _begin);
        var read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken).ConfigureAwait(false);
        _end += read;
        return read > 0;
    }

    private DamageException Damaged() => new(snapshot, $"{snapshot} holds what is no record of a key; run 'fbackup backup verify --level full'.");
}
