using System.Numerics;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>
/// A blocked Bloom filter, ten bits per chunk: says of most chunks that a segment does not have them without touching its pages. Chunk ids
/// are uniformly random already, so their own bits serve as hashes.
/// </summary>
internal readonly struct ChunkFilter(Memory<byte> bits)
{
    private const int LineSize = 64;
    private const int BitsPerKey = 10;
    private const int Probes = 7;

    /// <summary>Bytes for that many chunks.</summary>
    public static int SizeFor(int entries) => Math.Max(1, (int)(((long)entries * BitsPerKey / 8 / LineSize) + 1)) * LineSize;

    public static bool IsSize(int bytes) => bytes > 0 && bytes % LineSize == 0;

    public void Add(ChunkId id)
    {
        var line = Line(id);
        var hash = id.Middle;
        for (var i = 0; i < Probes; i++, hash >>= 9) line[(int)(hash >> 3) & 63] |= (byte)(1 << (int)(hash & 7));
    }

    /// <summary>False: certainly not in the segment. True: probably (about one in a hundred is wrong).</summary>
    public bool MayContain(ChunkId id)
    {
        var line = Line(id);
        var hash = id.Middle;
        for (var i = 0; i < Probes; i++, hash >>= 9)
            if ((line[(int)(hash >> 3) & 63] & (1 << (int)(hash & 7))) == 0) return false;
        return true;
    }

    private Span<byte> Line(ChunkId id)
    {
        var lines = (ulong)(bits.Length / LineSize);
        var line = (int)Math.BigMul(BitOperations.RotateLeft(id.Prefix, 23), lines, out _);
        return bits.Span.Slice(line * LineSize, LineSize);
    }
}
