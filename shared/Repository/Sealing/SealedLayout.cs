using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Compression;

namespace FunctionsBackup.Repository.Sealing;

/// <summary>The first 64 bytes of a sealed object, in the clear and bound into each of its messages (FORMAT.md §2).</summary>
internal readonly struct SealedLayout
{
    public const byte Version = 1;
    public const int FixedSize = 64;
    public const int SaltSize = 32;
    public const int TagSize = 16;
    public const int DigestSize = SHA256.HashSizeInBytes;

    /// <summary>Largest header, bytes.</summary>
    public const int MaximumHeader = 64 << 10;

    /// <summary>Largest body, bytes: it is held in memory as a whole.</summary>
    public const int MaximumBody = 1 << 30;

    /// <summary>Plaintext of every frame but the last.</summary>
    public const int FrameSize = 1 << 20;

    /// <summary>Before each frame: the length of its ciphertext, and in bit 31 whether that is compressed.</summary>
    public const int FramePrefixSize = sizeof(uint);

    public const uint CompressedFlag = 1u << 31;

    private const int SaltAt = 12;

    private static ReadOnlySpan<byte> Magic => "FBSO"u8;

    public SealedKind Kind { get; init; }

    /// <summary>Of the frames that are compressed.</summary>
    public CompressionAlgorithm Algorithm { get; init; }

    public uint Epoch { get; init; }

    public int HeaderLength { get; init; }

    public int BodyLength { get; init; }

    /// <summary>All frames with prefixes and tags.</summary>
    public int StoredLength { get; init; }

    public int FrameCount => (int)(((long)BodyLength + FrameSize - 1) / FrameSize);

    /// <summary>Where the body's frames begin.</summary>
    public int BodyAt => FixedSize + HeaderLength + TagSize;

    /// <summary>Bytes of the whole object.</summary>
    public long TotalLength => (long)BodyAt + StoredLength + DigestSize;

    public static ReadOnlySpan<byte> SaltOf(ReadOnlySpan<byte> fixedPart) => fixedPart.Slice(SaltAt, SaltSize);

    public void Write(Span<byte> target, ReadOnlySpan<byte> salt)
    {
        Magic.CopyTo(target);
        target[4] = Version;
        target[5] = (byte)Kind;
        target[6] = (byte)Algorithm;
        target[7] = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(target[8..], Epoch);
        salt.CopyTo(target.Slice(SaltAt, SaltSize));
        BinaryPrimitives.WriteUInt32LittleEndian(target[44..], (uint)HeaderLength);
        BinaryPrimitives.WriteUInt64LittleEndian(target[48..], (ulong)BodyLength);
        BinaryPrimitives.WriteUInt64LittleEndian(target[56..], (ulong)StoredLength);
    }

    /// <exception cref="InvalidDataException">These are not the first bytes of a sealed object; says why.</exception>
    public static SealedLayout Read(ReadOnlySpan<byte> source)
    {
        if (source.IsEmpty) throw new InvalidDataException("it is empty (0 bytes)");
        if (source.Length < FixedSize) throw new InvalidDataException($"it is cut short after {source.Length} bytes");
        if (!source.StartsWith(Magic)) throw new InvalidDataException("it does not begin with FBSO");
        if (source[4] != Version)
            throw new InvalidDataException($"its version is {source[4]}, this program knows {Version}: perhaps a newer program wrote it");
        var headerLength = BinaryPrimitives.ReadUInt32LittleEndian(source[44..]);
        var bodyLength = BinaryPrimitives.ReadUInt64LittleEndian(source[48..]);
        var storedLength = BinaryPrimitives.ReadUInt64LittleEndian(source[56..]);
        if (headerLength > MaximumHeader || bodyLength > MaximumBody || source[7] != 0)
            throw new InvalidDataException("its lengths are out of bounds");
        var layout = new SealedLayout
        {
            Kind = (SealedKind)source[5],
            Algorithm = (CompressionAlgorithm)source[6],
            Epoch = BinaryPrimitives.ReadUInt32LittleEndian(source[8..]),
            HeaderLength = (int)headerLength,
            BodyLength = (int)bodyLength,
        };
        // A frame is never longer than its plaintext, and never empty.
        var overhead = (ulong)layout.FrameCount * (FramePrefixSize + TagSize);
        if (storedLength > bodyLength + overhead || storedLength < overhead + (ulong)layout.FrameCount)
            throw new InvalidDataException("its lengths contradict each other");
        return layout with { StoredLength = (int)storedLength };
    }

    /// <summary>Plaintext length of a frame, counted from 0.</summary>
    public int FrameLength(int frame) => Math.Min(FrameSize, BodyLength - frame * FrameSize);
}
