using System.Buffers;
using System.Buffers.Binary;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.Layers;

/// <summary>Tells how long the record is that begins here: 0: more bytes are needed; negative: there is none.</summary>
internal delegate int RecordLength(ReadOnlyMemory<byte> bytes);

/// <summary>The records of one layer, one after the other. Not for concurrent use.</summary>
internal sealed class LayerStream(Stream stream, string snapshot, RecordLength measure) : IAsyncDisposable
{
    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(256 * 1024);
    private int _begin, _end;

    /// <summary>Of the record that it stands at; null: it is at the end.</summary>
    public ulong? Number { get; private set; }

    /// <summary>The record; good until the next one.</summary>
    public ReadOnlyMemory<byte> Record { get; private set; }

    public bool IsTombstone => Record.Length == 1 && Record.Span[0] == LayerFormat.Tombstone;

    public async ValueTask MoveAsync(CancellationToken cancellationToken)
    {
        var before = Number;
        while (true)
        {
            if (_end - _begin > 8)
            {
                var length = measure(_buffer.AsMemory(_begin + 8, _end - _begin - 8));
                if (length < 0) throw Damaged();
                if (length > 0)
                {
                    Number = BinaryPrimitives.ReadUInt64BigEndian(_buffer.AsSpan(_begin));
                    if (Number < before) throw Damaged();
                    Record = _buffer.AsMemory(_begin + 8, length);
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

    /// <summary>All records of a stack of layers in the order of their numbers: of each group what the newest layer that has it says.</summary>
    /// <param name="layers">The oldest first; they are disposed of.</param>
    /// <param name="cancellationToken">Stops.</param>
    public static async IAsyncEnumerable<(ulong Number, ReadOnlyMemory<byte> Record)> MergeAsync(
        IReadOnlyList<LayerStream> layers, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        try
        {
            foreach (var layer in layers) await layer.MoveAsync(cancellationToken).ConfigureAwait(false);
            while (Next(layers) is { } number)
            {
                var isDecided = false;
                for (var i = layers.Count - 1; i >= 0; i--)
                {
                    var layer = layers[i];
                    if (layer.Number != number) continue;
                    while (layer.Number == number)
                    {
                        if (!isDecided && !layer.IsTombstone) yield return (number, layer.Record);
                        await layer.MoveAsync(cancellationToken).ConfigureAwait(false);
                    }

                    isDecided = true;
                }
            }
        }
        finally
        {
            foreach (var layer in layers) await layer.DisposeAsync().ConfigureAwait(false);
        }
    }

    public ValueTask DisposeAsync()
    {
        ArrayPool<byte>.Shared.Return(_buffer, clearArray: true);
        return stream.DisposeAsync();
    }

    private static ulong? Next(IReadOnlyList<LayerStream> layers)
    {
        ulong? next = null;
        foreach (var layer in layers)
            if (layer.Number is { } number && !(number >= next)) next = number;
        return next;
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_begin == 0 && _end == _buffer.Length)
        {
            // One record is longer than all there is room for.
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

    private DamageException Damaged() => new(snapshot, $"{snapshot} holds what is no record; run 'fbackup backup verify --level full'.");
}
