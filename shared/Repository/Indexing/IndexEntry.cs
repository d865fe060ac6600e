using System.Buffers.Binary;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>Where a chunk lies, as one segment says it.</summary>
/// <param name="Id">The chunk.</param>
/// <param name="Block">Number of its block in the segment's table.</param>
/// <param name="Offset">Where it begins in the block's plaintext.</param>
/// <param name="Length">Its plaintext length.</param>
internal readonly record struct IndexEntry(ChunkId Id, int Block, int Offset, int Length)
{
    public static IndexEntry Read(ReadOnlySpan<byte> source) => new(
        ChunkId.Read(source),
        BinaryPrimitives.ReadInt32LittleEndian(source[ChunkId.Size..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[(ChunkId.Size + 4)..]),
        BinaryPrimitives.ReadInt32LittleEndian(source[(ChunkId.Size + 8)..]));

    public void Write(Span<byte> destination)
    {
        Id.Write(destination);
        BinaryPrimitives.WriteInt32LittleEndian(destination[ChunkId.Size..], Block);
        BinaryPrimitives.WriteInt32LittleEndian(destination[(ChunkId.Size + 4)..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(destination[(ChunkId.Size + 8)..], Length);
    }
}

/// <summary>A block as the index knows it.</summary>
/// <param name="Pack">Number of its pack in the segment's table.</param>
/// <param name="Offset">Where its ciphertext begins in the pack.</param>
/// <param name="StoredLength">Ciphertext and tag, bytes.</param>
/// <param name="PlainLength">Plaintext, bytes.</param>
internal readonly record struct IndexBlock(int Pack, uint Offset, int StoredLength, int PlainLength);

/// <summary>Where a chunk lies.</summary>
internal readonly record struct ChunkLocation(IndexSegment Segment, int Block, int Offset, int Length)
{
    public IndexBlock BlockInfo => Segment.Blocks[Block];

    public Packing.PackInfo Pack => Segment.Packs[BlockInfo.Pack];
}
