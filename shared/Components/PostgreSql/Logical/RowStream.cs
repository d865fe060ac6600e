using System.Buffers;
using System.Buffers.Binary;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>The rows of one layer, one after the other. Not for concurrent use.</summary>
internal sealed class RowStream(Stream stream, string snapshot) : IAsyncDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
    private int _begin, _end;
    private ReadOnlyMemory<byte> _row;
    private bool _isTombstone;

    /// <summary>Of the row that it stands at; null: it is at the end.</summary>
    public ulong? Number { get; private set; }

    public ReadOnlyMemory<byte> Row => _row;

    public bool IsTombstone => _isTombstone;

    public async ValueTask MoveAsync(CancellationToken cancellationToken)
    {
        var before = Number;
        while (true)
        {
            if (_end - _begin > 8)
            {
                var length = RowRecord.Read(_buffer.AsMemory(_begin + 8, _end - _begin - 8), out _row, out _isTombstone);
                if (length < 0) throw Damaged();
                if (length > 0)
                {
                    Number = BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(_begin));
                    if (Number < before) throw Damaged();
                    _begin += 8 + length;
                    return;
                }
            }

            if (await FillAsync(cancellationToken).ConfigureAwait(false)) continue;
            if (_begin != _end) throw Damaged();
            Number = null;
            return;
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

    private DamageException Damaged() => new(snapshot, $"{snapshot} holds what is no row; run 'fbackup backup verify --level full'.");
}
