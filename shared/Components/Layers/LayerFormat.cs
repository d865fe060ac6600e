using System.Security.Cryptography;

namespace FunctionsBackup.Components.Layers;

/// <summary>
/// What layers of records have in common (FORMAT.md beside this). A layer holds records in the order of a 64-bit number, which only orders them: records
/// with the same number are a group, which is compared, replaced and removed as a whole.
/// </summary>
internal static class LayerFormat
{
    /// <summary>Bytes of the digest of a record.</summary>
    public const int DigestSize = 16;

    /// <summary>The only byte of a record that says: the group is no more.</summary>
    public const byte Tombstone = 4;

    /// <summary>Layers of one stack at most, and how much of the full one all others may be together.</summary>
    public const int MaximumLayers = 8;
    public const double MaximumDeltas = 0.3;

    /// <summary>The first 16 bytes of SHA-256.</summary>
    public static void Digest(ReadOnlySpan<byte> record, Span<byte> digest)
    {
        Span<byte> full = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(record, full);
        full[..DigestSize].CopyTo(digest);
    }

    /// <summary>The mask by which chunks of about 64 KiB end, for records of this length.</summary>
    public static ulong CutMask(long bytes, long records)
    {
        const long Target = 64 << 10;
        var perChunk = Math.Max(1, Target / Math.Max(1, bytes / Math.Max(1, records)));
        return (ulong)Math.Max(0, (1L << (int)Math.Min(20, Math.Round(Math.Log2(perChunk)))) - 1);
    }
}
