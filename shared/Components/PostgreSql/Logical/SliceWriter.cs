using FunctionsBackup.Components.Layers;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>
/// Puts the rows of a stretch of blocks into a layer. Rows of 64 blocks are sorted among themselves, so that a row that is as it was stands where it stood, and
/// rows that lay together still lie together after a restore. Not for concurrent use.
/// </summary>
internal sealed class SliceWriter(LayerMerge merge)
{
    /// <summary>Blocks whose rows are sorted together: half a megabyte.</summary>
    private const int Together = 64;

    /// <summary>Bits of a row's number that come from its bytes; the others are those of its place.</summary>
    private const int HashBits = 36;

    private readonly List<(ReadOnlyMemory<byte>, ReadOnlyMemory<byte>)> _group = [];
    private byte[] _bytes = new byte[1 << 20];
    private ulong[] _numbers = new ulong[4096];
    private (int Offset, int Length)[] _places = new (int, int)[4096];
    private byte[] _digests = [];
    private int _filled, _count;
    private uint _stretch;

    public long Rows { get; private set; }

    public long Bytes { get; private set; }

    public async ValueTask AddAsync(uint block, ReadOnlyMemory<byte> row, CancellationToken cancellationToken)
    {
        if (block / Together != _stretch)
        {
            await FlushAsync(cancellationToken).ConfigureAwait(false);
            _stretch = block / Together;
        }

        Append(row.Span);
        Rows++;
        Bytes += row.Length;
    }

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => FlushAsync(cancellationToken);

    private void Append(ReadOnlySpan<byte> row)
    {
        var room = RowRecord.MaximumOverhead + row.Length;
        if (_filled + room > _bytes.Length) Array.Resize(ref _bytes, Math.Max(_filled + room, (int)Math.Min(Array.MaxLength, _bytes.Length * 2L)));
        if (_count == _numbers.Length)
        {
            Array.Resize(ref _numbers, _count * 2);
            Array.Resize(ref _places, _count * 2);
        }

        var length = RowRecord.Write(row, _bytes.AsSpan(_filled));
        _numbers[_count] = ((ulong)_stretch << HashBits) | (KeyHash.Of(0, row) >> (64 - HashBits));
        _places[_count++] = (_filled, length);
        _filled += length;
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        Array.Sort(_numbers, _places, 0, _count);
        if (_digests.Length < _count * LayerFormat.DigestSize) _digests = new byte[Math.Max(_count, 4096) * LayerFormat.DigestSize];
        for (var i = 0; i < _count; i++)
            LayerFormat.Digest(_bytes.AsSpan(_places[i].Offset, _places[i].Length), _digests.AsSpan(i * LayerFormat.DigestSize));
        for (var at = 0; at < _count;)
        {
            var number = _numbers[at];
            _group.Clear();
            for (; at < _count && _numbers[at] == number; at++)
                _group.Add((_digests.AsMemory(at * LayerFormat.DigestSize, LayerFormat.DigestSize), _bytes.AsMemory(_places[at].Offset, _places[at].Length)));
            await merge.AddAsync(number, _group, cancellationToken).ConfigureAwait(false);
        }

        (_filled, _count) = (0, 0);
        if (_bytes.Length > 64 << 20) _bytes = new byte[1 << 20]; // one very long row must not cost its memory for ever
    }
}
