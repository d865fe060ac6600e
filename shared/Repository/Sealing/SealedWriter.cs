using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Sealing;

/// <summary>Puts a sealed object together in a buffer (FORMAT.md §2).</summary>
internal static class SealedWriter
{
    /// <summary>A buffer of this size takes any object with this header and body.</summary>
    public static int Bound(int headerLength, int bodyLength)
    {
        var frames = new SealedLayout { BodyLength = bodyLength }.FrameCount;
        return SealedLayout.FixedSize + headerLength + SealedLayout.TagSize + bodyLength
            + frames * (SealedLayout.FramePrefixSize + SealedLayout.TagSize) + SealedLayout.DigestSize;
    }

    /// <summary>Returns the bytes written to <paramref name="target"/>.</summary>
    public static int Write(
        Span<byte> target, SealedKind kind, string name, ReadOnlySpan<byte> header, ReadOnlySpan<byte> body,
        KeyRing keys, string repositoryId, BlockCompressor compressor)
    {
        var layout = new SealedLayout
        {
            Kind = kind,
            Algorithm = compressor.Algorithm,
            Epoch = keys.EpochFor(kind),
            HeaderLength = header.Length,
            BodyLength = body.Length,
        };
        header.CopyTo(target[SealedLayout.FixedSize..]);
        // First all frames in plaintext, since their lengths stand in the fixed part, which is bound into every message.
        var prefixes = new uint[layout.FrameCount];
        var at = layout.BodyAt;
        for (var frame = 0; frame < prefixes.Length; frame++)
        {
            var plain = body.Slice(frame * SealedLayout.FrameSize, layout.FrameLength(frame));
            var place = target[(at + SealedLayout.FramePrefixSize)..];
            var packed = compressor.Compress(plain, place[..plain.Length]);
            if (packed == 0) plain.CopyTo(place);
            prefixes[frame] = packed == 0 ? (uint)plain.Length : (uint)packed | SealedLayout.CompressedFlag;
            BinaryPrimitives.WriteUInt32LittleEndian(target[at..], prefixes[frame]);
            at += SealedLayout.FramePrefixSize + LengthOf(prefixes[frame]) + SealedLayout.TagSize;
        }

        layout = layout with { StoredLength = at - layout.BodyAt };
        Span<byte> salt = stackalloc byte[SealedLayout.SaltSize];
        RandomNumberGenerator.Fill(salt);
        layout.Write(target, salt);

        using var cipher = new SealedCipher(keys, repositoryId, name, layout.Epoch, target[..SealedLayout.FixedSize]);
        cipher.Encrypt(target[SealedLayout.FixedSize..layout.BodyAt], 0, prefixes.Length == 0, (uint)header.Length);
        at = layout.BodyAt;
        for (var frame = 0; frame < prefixes.Length; frame++)
        {
            var length = LengthOf(prefixes[frame]) + SealedLayout.TagSize;
            var message = target.Slice(at + SealedLayout.FramePrefixSize, length);
            cipher.Encrypt(message, (uint)frame + 1, frame == prefixes.Length - 1, prefixes[frame]);
            at += SealedLayout.FramePrefixSize + length;
        }

        SHA256.HashData(target[..at], target[at..]);
        return at + SealedLayout.DigestSize;
    }

    private static int LengthOf(uint prefix) => (int)(prefix & ~SealedLayout.CompressedFlag);
}
