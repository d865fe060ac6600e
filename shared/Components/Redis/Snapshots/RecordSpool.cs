using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FunctionsBackup.Components.Layers;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>
/// Records on their way from the order in which the server sends them to that of their hashes: collected by the first bits of the hash, in memory while
/// they are few, then in a file that only this process can read (its key is in no other place). Not for concurrent use.
/// </summary>
/// <remarks>An entry: hash (8, big-endian), length (4, little-endian), digest (16), record.</remarks>
internal sealed class RecordSpool : IDisposable
{
    private const int BlockSize = 64 << 10, Head = 8 + 4 + LayerFormat.DigestSize, Tag = 16;

    private readonly int _bits;
    private readonly long _memoryLimit;
    private readonly List<Block>[] _parts;
    private readonly byte[]?[] _open;
    private readonly int[] _filled;
    private readonly AesGcm _cipher = new(RandomNumberGenerator.GetBytes(32), Tag);
    private FileStream? _file;
    private long _inMemory, _offset, _nonce;

    /// <param name="expectedBytes">Of all records, about; how finely they are divided depends on it.</param>
    /// <param name="memoryLimit">Bytes that are kept in memory.</param>
    public RecordSpool(long expectedBytes, long memoryLimit)
    {
        _memoryLimit = memoryLimit;
        while (_bits < 10 && expectedBytes >> _bits > memoryLimit / 4) _bits++;
        (_parts, _open, _filled) = (new List<Block>[1 << _bits], new byte[1 << _bits][], new int[1 << _bits]);
        for (var i = 0; i < _parts.Length; i++) _parts[i] = [];
    }

    public int Parts => _parts.Length;

    public long Records { get; private set; }

    public long Bytes { get; private set; }

    public async ValueTask AddAsync(ulong hash, ReadOnlyMemory<byte> digest, ReadOnlyMemory<byte> record, CancellationToken cancellationToken)
    {
        var part = _bits == 0 ? 0 : (int)(hash >> (64 - _bits));
        var size = Head + record.Length;
        if (_filled[part] + size > (_open[part]?.Length ?? 0))
        {
            await CloseAsync(part, cancellationToken).ConfigureAwait(false);
            _open[part] = ArrayPool<byte>.Shared.Rent(Math.Max(BlockSize, size));
        }

        var to = _open[part].AsSpan(_filled[part]);
        BinaryPrimitives.WriteUInt64BigEndian(to, hash);
        BinaryPrimitives.WriteInt32LittleEndian(to[8..], record.Length);
        digest.Span.CopyTo(to[12..]);
        record.Span.CopyTo(to[Head..]);
        _filled[part] += size;
        Records++;
        Bytes += record.Length;
    }

    /// <summary>All of one part, in the order of their hashes; parts are in that order too. Good until the next call.</summary>
    public async ValueTask<SpooledPart> TakeAsync(int part, CancellationToken cancellationToken)
    {
        await CloseAsync(part, cancellationToken).ConfigureAwait(false);
        var total = _parts[part].Sum(b => (long)b.Length);
        if (total > Array.MaxLength) throw new InvalidOperationException("The data set is larger than this version can sort; more than a terabyte of small values.");
        var bytes = new byte[total];
        var at = 0;
        foreach (var block in _parts[part])
        {
            if (block.Memory is { } kept)
            {
                kept.AsSpan(0, block.Length).CopyTo(bytes.AsSpan(at));
                ArrayPool<byte>.Shared.Return(kept, clearArray: true);
                _inMemory -= kept.Length;
            }
            else
            {
                var sealedBytes = ArrayPool<byte>.Shared.Rent(block.Length + Tag);
                await RandomAccess.ReadAsync(_file!.SafeFileHandle, sealedBytes.AsMemory(0, block.Length + Tag), block.Offset, cancellationToken).ConfigureAwait(false);
                _cipher.Decrypt(Nonce(block.Nonce), sealedBytes.AsSpan(0, block.Length), sealedBytes.AsSpan(block.Length, Tag), bytes.AsSpan(at, block.Length));
                ArrayPool<byte>.Shared.Return(sealedBytes);
            }

            at += block.Length;
        }

        _parts[part] = [];
        return SpooledPart.Of(bytes);
    }

    public void Dispose()
    {
        _cipher.Dispose();
        _file?.Dispose();
        foreach (var open in _open)
            if (open is not null) ArrayPool<byte>.Shared.Return(open, clearArray: true);
    }

    private async ValueTask CloseAsync(int part, CancellationToken cancellationToken)
    {
        if (_open[part] is not { } bytes) return;
        var length = _filled[part];
        (_open[part], _filled[part]) = (null, 0);
        if (_inMemory + bytes.Length <= _memoryLimit)
        {
            _inMemory += bytes.Length;
            _parts[part].Add(new Block(bytes, 0, length, 0));
            return;
        }

        _file ??= Open();
        var sealedBytes = ArrayPool<byte>.Shared.Rent(length + Tag);
        _cipher.Encrypt(Nonce(++_nonce), bytes.AsSpan(0, length), sealedBytes.AsSpan(0, length), sealedBytes.AsSpan(length, Tag));
        await RandomAccess.WriteAsync(_file.SafeFileHandle, sealedBytes.AsMemory(0, length + Tag), _offset, cancellationToken).ConfigureAwait(false);
        ArrayPool<byte>.Shared.Return(sealedBytes);
        _parts[part].Add(new Block(null, _offset, length, _nonce));
        _offset += length + Tag;
        ArrayPool<byte>.Shared.Return(bytes, clearArray: true);
    }

    /// <summary>Gone from its folder at once: nothing of it outlives the process.</summary>
    private static FileStream Open()
    {
        var path = Path.Combine(Path.GetTempPath(), $"fbackup-{Guid.NewGuid():N}");
        var file = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew, Access = FileAccess.ReadWrite, Options = FileOptions.DeleteOnClose, BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        File.Delete(path);
        return file;
    }

    private static byte[] Nonce(long number)
    {
        var nonce = new byte[12];
        BinaryPrimitives.WriteInt64LittleEndian(nonce, number);
        return nonce;
    }

    private readonly record struct Block(byte[]? Memory, long Offset, int Length, long Nonce);
}

/// <summary>Records in the order of their hashes.</summary>
internal sealed class SpooledPart
{
    private const int Head = 8 + 4 + LayerFormat.DigestSize;

    private readonly byte[] _bytes;
    private readonly ulong[] _hashes;
    private readonly int[] _offsets;

    private SpooledPart(byte[] bytes, ulong[] hashes, int[] offsets) => (_bytes, _hashes, _offsets) = (bytes, hashes, offsets);

    public int Count => _hashes.Length;

    public ulong Hash(int index) => _hashes[index];

    public ReadOnlyMemory<byte> Digest(int index) => _bytes.AsMemory(_offsets[index] + 12, LayerFormat.DigestSize);

    public ReadOnlyMemory<byte> Record(int index) =>
        _bytes.AsMemory(_offsets[index] + Head, BinaryPrimitives.ReadInt32LittleEndian(_bytes.AsSpan(_offsets[index] + 8)));

    public static SpooledPart Of(byte[] bytes)
    {
        var (hashes, offsets) = (new List<ulong>(), new List<int>());
        for (var at = 0; at < bytes.Length; at += Head + BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at + 8)))
        {
            hashes.Add(BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(at)));
            offsets.Add(at);
        }

        var (sorted, places) = (CollectionsMarshal.AsSpan(hashes).ToArray(), CollectionsMarshal.AsSpan(offsets).ToArray());
        Array.Sort(sorted, places);
        // Of equal hashes in the order in which they came.
        for (var begin = 0; begin < sorted.Length;)
        {
            var end = begin + 1;
            while (end < sorted.Length && sorted[end] == sorted[begin]) end++;
            if (end - begin > 1) Array.Sort(places, begin, end - begin);
            begin = end;
        }

        return new SpooledPart(bytes, sorted, places);
    }
}
