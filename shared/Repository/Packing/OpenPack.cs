using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Buffers;

namespace FunctionsBackup.Repository.Packing;

/// <summary>
/// A pack that is being filled. Writers reserve a place under the pack writer's lock and then encrypt into it concurrently; the pack is
/// finished when it is closed and the last of them has let go.
/// </summary>
internal sealed class OpenPack : IDisposable
{
    private readonly List<PackBlock> _blocks = [];
    private readonly uint _epoch;
    private readonly byte[] _salt = RandomNumberGenerator.GetBytes(PackFormat.SaltSize);
    private readonly AlignedBuffer _buffer;
    private int _position = PackFormat.HeaderSize;
    private int _chunks;
    private readonly HoldCount _holders = new();

    public OpenPack(RepositoryKeys keys, PackKind kind, AlignedBuffer buffer)
    {
        Kind = kind;
        _epoch = keys.CurrentEpoch;
        _buffer = buffer;
        Cipher = new PackCipher(keys, kind, _epoch, _salt);
        PackFormat.WriteHeader(buffer.GetSpan(), kind, _epoch, _salt);
    }

    public PackKind Kind { get; }

    public PackCipher Cipher { get; }

    public AlignedBuffer Buffer => _buffer;

    public bool IsEmpty => _blocks.Count == 0;

    /// <summary>Takes a place for a block, and a hold on the pack, unless the pack is full. Caller holds the writer's lock.</summary>
    public bool TryReserve(int storedLength, int plainLength, IReadOnlyList<PackChunk> chunks, out uint offset)
    {
        offset = (uint)_position;
        var end = _position + storedLength + PackDirectory.SizeOf(_blocks.Count + 1, _chunks + chunks.Count)
            + PackFormat.TagSize + PackFormat.TrailerSize;
        if (_position >= PackFormat.TargetSize || end > PackFormat.MaximumSize) return false;
        _blocks.Add(new PackBlock(offset, storedLength, plainLength, chunks));
        _position += storedLength;
        _chunks += chunks.Count;
        _holders.Take(); // others let go without the lock
        return true;
    }

    public Span<byte> Place(uint offset, int length) => _buffer.GetSpan().Slice((int)offset, length);

    /// <summary>Lets go of the pack; true for the last one, who must finish it.</summary>
    public bool Release() => _holders.Release();

    /// <summary>Adds the directory and the trailer. The pack's bytes are then the first <see cref="WrittenPack.Size"/> of the buffer.</summary>
    public WrittenPack Finish()
    {
        var directory = PackDirectory.Encode(_blocks);
        var stored = directory.Length + PackFormat.TagSize;
        Cipher.Seal(PackPart.Directory, (uint)_position, directory, Place((uint)_position, stored));
        var trailer = Place((uint)(_position + stored), PackFormat.TrailerSize);
        BinaryPrimitives.WriteInt32LittleEndian(trailer, stored);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[4..], directory.Length);
        BinaryPrimitives.WriteInt32LittleEndian(trailer[8..], 0);
        PackFormat.EndMagic.CopyTo(trailer[12..]);
        var size = _position + stored + PackFormat.TrailerSize;
        var sha256 = SHA256.HashData(_buffer.GetSpan()[..size]);
        return new WrittenPack(new PackInfo(sha256, _salt, Kind, _epoch, size), _blocks);
    }

    public void Dispose() => Cipher.Dispose();
}

/// <summary>What the index keeps of a pack: enough to find it and to derive its key without reading it.</summary>
/// <param name="Sha256">Of all its bytes: its name.</param>
/// <param name="Salt">32 random bytes from its header.</param>
/// <param name="Kind">Data or metadata.</param>
/// <param name="Epoch">Whose data key encrypts it.</param>
/// <param name="Size">Bytes.</param>
internal sealed record PackInfo(byte[] Sha256, byte[] Salt, PackKind Kind, uint Epoch, int Size)
{
    public string Name { get; } = PackFormat.NameOf(Sha256);
}

/// <summary>A complete pack with its table of contents.</summary>
internal sealed record WrittenPack(PackInfo Info, IReadOnlyList<PackBlock> Blocks)
{
    public int Size => Info.Size;
}
