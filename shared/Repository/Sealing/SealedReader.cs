using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Sealing;

/// <summary>
/// Opens a sealed object. The lengths in its first 64 bytes are believed only once the header, which is bound to them, has opened; so
/// nobody without the key can make a reader allocate or fetch much.
/// </summary>
internal sealed class SealedReader : IDisposable
{
    private readonly SealedLayout _layout;
    private readonly SealedCipher _cipher;

    /// <param name="start">The object's first bytes: at least 64 of them.</param>
    /// <param name="kind">What it should be.</param>
    /// <param name="name">Where it is kept.</param>
    /// <param name="keys">The repository's keys.</param>
    /// <param name="repositoryId">The repository.</param>
    /// <exception cref="InvalidDataException">It cannot be what was written under this name; says why.</exception>
    public SealedReader(ReadOnlySpan<byte> start, SealedKind kind, string name, KeyRing keys, string repositoryId)
    {
        _layout = SealedLayout.Read(start);
        if (_layout.Kind != kind) throw new InvalidDataException($"it is of kind {_layout.Kind}, where {kind} is expected");
        if (!Writers.EpochKinds.Allows(_layout.Epoch, kind)) throw new InvalidDataException("a write-only writer made it, which may not make such objects");
        if (!keys.HasEpoch(_layout.Epoch))
            throw new InvalidDataException($"it names key epoch {_layout.Epoch}, which the repository does not have");
        _cipher = new SealedCipher(keys, repositoryId, name, _layout.Epoch, start[..SealedLayout.FixedSize]);
    }

    public uint Epoch => _layout.Epoch;

    /// <summary>Bytes needed to open the header.</summary>
    public int HeaderEnd => _layout.BodyAt;

    /// <summary>Bytes of the whole object.</summary>
    public int TotalLength => checked((int)_layout.TotalLength);

    /// <summary>Opens the header.</summary>
    /// <param name="start">The object's first <see cref="HeaderEnd"/> bytes, or more.</param>
    public byte[] ReadHeader(ReadOnlySpan<byte> start)
    {
        if (start.Length < HeaderEnd) throw new InvalidDataException($"it is cut short after {start.Length} bytes");
        var header = new byte[_layout.HeaderLength];
        var last = _layout.FrameCount == 0;
        return _cipher.TryDecrypt(start[SealedLayout.FixedSize..HeaderEnd], header, 0, last, (uint)header.Length)
            ? header
            : throw new InvalidDataException("its header was changed, or it belongs to another name or repository");
    }

    /// <summary>Opens the body, after the header has opened.</summary>
    /// <param name="whole">The whole object.</param>
    /// <param name="decompressor">For frames that are compressed.</param>
    public byte[] ReadBody(ReadOnlySpan<byte> whole, BlockDecompressor decompressor)
    {
        if (whole.Length != TotalLength) throw new InvalidDataException($"it has {whole.Length} bytes instead of {TotalLength}");
        if (!HasDigest(whole)) throw new InvalidDataException("its checksum does not fit");
        var body = new byte[_layout.BodyLength];
        var buffer = new byte[Math.Min(SealedLayout.FrameSize, body.Length)];
        var stored = whole.Slice(_layout.BodyAt, _layout.StoredLength);
        for (var frame = 0; frame < _layout.FrameCount; frame++)
        {
            var plain = body.AsSpan(frame * SealedLayout.FrameSize, _layout.FrameLength(frame));
            stored = ReadFrame(stored, plain, buffer, frame, decompressor);
        }

        return stored.IsEmpty ? body : throw new InvalidDataException("bytes follow its last frame");
    }

    public void Dispose() => _cipher.Dispose();

    /// <summary>Whether the last 32 bytes are the SHA-256 of all others.</summary>
    public static bool HasDigest(ReadOnlySpan<byte> whole)
    {
        Span<byte> digest = stackalloc byte[SealedLayout.DigestSize];
        SHA256.HashData(whole[..^SealedLayout.DigestSize], digest);
        return digest.SequenceEqual(whole[^SealedLayout.DigestSize..]);
    }

    /// <summary>Opens the frame at the start of <paramref name="stored"/> and returns what follows it.</summary>
    private ReadOnlySpan<byte> ReadFrame(
        ReadOnlySpan<byte> stored, Span<byte> plain, Span<byte> buffer, int frame, BlockDecompressor decompressor)
    {
        if (stored.Length < SealedLayout.FramePrefixSize + SealedLayout.TagSize)
            throw new InvalidDataException($"frame {frame} is missing");
        var prefix = BinaryPrimitives.ReadUInt32LittleEndian(stored);
        var compressed = (prefix & SealedLayout.CompressedFlag) != 0;
        var length = prefix & ~SealedLayout.CompressedFlag;
        if (compressed ? length >= plain.Length : length != plain.Length)
            throw new InvalidDataException($"frame {frame} has an impossible length");
        var end = SealedLayout.FramePrefixSize + (int)length + SealedLayout.TagSize;
        if (end > stored.Length) throw new InvalidDataException($"frame {frame} is cut short");
        var target = compressed ? buffer[..(int)length] : plain;
        var message = stored[SealedLayout.FramePrefixSize..end];
        if (!_cipher.TryDecrypt(message, target, (uint)frame + 1, frame == _layout.FrameCount - 1, prefix))
            throw new InvalidDataException($"frame {frame} was changed");
        if (compressed) decompressor.Decompress(_layout.Algorithm, target, plain);
        return stored[end..];
    }
}
