using System.Buffers.Binary;

namespace FunctionsBackup.Repository.Packing;

/// <summary>A block of a pack: chunks that were compressed and encrypted together.</summary>
/// <param name="Offset">Where its ciphertext begins in the pack.</param>
/// <param name="StoredLength">Ciphertext and tag, bytes.</param>
/// <param name="PlainLength">All its chunks together, bytes.</param>
/// <param name="Chunks">In the order in which they lie in the plaintext.</param>
internal sealed record PackBlock(uint Offset, int StoredLength, int PlainLength, IReadOnlyList<PackChunk> Chunks);

/// <summary>A chunk of a block.</summary>
internal readonly record struct PackChunk(ChunkId Id, int Length);

/// <summary>The table of contents at a pack's end, from which the index can be rebuilt (FORMAT.md §5).</summary>
internal static class PackDirectory
{
    private const int BlockRecord = 16;
    private const int ChunkRecord = ChunkId.Size + 4;

    public static int SizeOf(int blocks, int chunks) => 4 + (blocks * BlockRecord) + (chunks * ChunkRecord);

    public static byte[] Encode(IReadOnlyList<PackBlock> blocks)
    {
        var bytes = new byte[SizeOf(blocks.Count, blocks.Sum(b => b.Chunks.Count))];
        var at = bytes.AsSpan();
        BinaryPrimitives.WriteInt32LittleEndian(at, blocks.Count);
        at = at[4..];
        foreach (var block in blocks)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(at, block.Offset);
            BinaryPrimitives.WriteInt32LittleEndian(at[4..], block.StoredLength);
            BinaryPrimitives.WriteInt32LittleEndian(at[8..], block.PlainLength);
            BinaryPrimitives.WriteInt32LittleEndian(at[12..], block.Chunks.Count);
            at = at[BlockRecord..];
            foreach (var chunk in block.Chunks)
            {
                chunk.Id.Write(at);
                BinaryPrimitives.WriteInt32LittleEndian(at[ChunkId.Size..], chunk.Length);
                at = at[ChunkRecord..];
            }
        }

        return bytes;
    }

    /// <summary>Decodes and checks a directory: blocks follow each other without gaps and chunks fill their blocks.</summary>
    /// <exception cref="InvalidDataException">It does not describe a pack of <paramref name="directoryOffset"/> bytes before it.</exception>
    public static List<PackBlock> Decode(ReadOnlySpan<byte> bytes, long directoryOffset)
    {
        var count = bytes.Length < 4 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(bytes);
        if (count < 0 || count > (bytes.Length - 4) / BlockRecord) throw Bad("block count");
        bytes = bytes[4..];
        var blocks = new List<PackBlock>(count);
        long expected = PackFormat.HeaderSize;
        for (var i = 0; i < count; i++)
        {
            if (bytes.Length < BlockRecord) throw Bad("length");
            var offset = BinaryPrimitives.ReadUInt32LittleEndian(bytes);
            var stored = BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]);
            var plain = BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]);
            var chunkCount = BinaryPrimitives.ReadInt32LittleEndian(bytes[12..]);
            bytes = bytes[BlockRecord..];
            if (offset != expected || stored <= PackFormat.TagSize + PackFormat.BlockHeaderSize
                || stored > PackFormat.MaximumSize || plain is <= 0 or > PackFormat.MaximumBlock
                || chunkCount <= 0 || chunkCount > bytes.Length / ChunkRecord)
                throw Bad($"block {i}");
            expected += stored;
            var chunks = new PackChunk[chunkCount];
            var sum = 0L;
            for (var c = 0; c < chunkCount; c++)
            {
                var length = BinaryPrimitives.ReadInt32LittleEndian(bytes[ChunkId.Size..]);
                if (length <= 0) throw Bad($"chunk {c} of block {i}");
                sum += length;
                chunks[c] = new PackChunk(ChunkId.Read(bytes), length);
                bytes = bytes[ChunkRecord..];
            }

            if (sum != plain) throw Bad($"chunks of block {i}");
            blocks.Add(new PackBlock(offset, stored, plain, chunks));
        }

        return bytes.IsEmpty && expected == directoryOffset ? blocks : throw Bad("end");

        static InvalidDataException Bad(string what) => new($"The pack directory is inconsistent ({what}).");
    }
}
