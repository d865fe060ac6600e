using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// The head of an <c>INCREMENTAL.*</c> file of PostgreSQL 17 (backup/basebackup_incremental.h and .c): magic, count of blocks, length of
/// the file before any later block, block numbers; then zeros up to a whole page, and the blocks. All numbers little-endian, 32 bits.
/// </summary>
/// <param name="TruncationBlocks">Blocks below this number that are not in the file are as they were in the earlier backup.</param>
/// <param name="Blocks">Numbers of the blocks in the file, within the segment, rising.</param>
internal sealed record IncrementalFile(uint TruncationBlocks, uint[] Blocks)
{
    public const string Prefix = "INCREMENTAL.";

    private const uint Magic = 0xD3AE1F0D;

    /// <summary>Bytes of the fixed part.</summary>
    public const int HeadSize = 12;

    /// <summary>Pages of the whole file once put together.</summary>
    public uint TotalBlocks => Blocks.Length > 0 ? Math.Max(TruncationBlocks, Blocks[^1] + 1) : TruncationBlocks;

    /// <exception cref="PostgresBackupException">The file is not one.</exception>
    public static async ValueTask<IncrementalFile> ReadAsync(
        StreamedFile file, int pageSize, uint segmentBlocks, CancellationToken cancellationToken)
    {
        var head = new byte[HeadSize];
        await file.ReadExactlyAsync(head, cancellationToken);
        var count = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(4));
        var truncation = BinaryPrimitives.ReadUInt32LittleEndian(head.AsSpan(8));
        if (BinaryPrimitives.ReadUInt32LittleEndian(head) != Magic || count > segmentBlocks || truncation > segmentBlocks) throw Broken();

        var numbers = new byte[count * sizeof(uint)];
        await file.ReadExactlyAsync(numbers, cancellationToken);
        var blocks = new uint[count];
        for (var i = 0; i < blocks.Length; i++)
        {
            blocks[i] = BinaryPrimitives.ReadUInt32LittleEndian(numbers.AsSpan(i * sizeof(uint)));
            if (blocks[i] >= segmentBlocks || (i > 0 && blocks[i] <= blocks[i - 1])) throw Broken();
        }

        var filling = (HeadSize + numbers.Length) % pageSize;
        if (count > 0 && filling > 0) await file.ReadExactlyAsync(new byte[pageSize - filling], cancellationToken);
        return new IncrementalFile(truncation, blocks);
    }

    private static PostgresBackupException Broken() => new("The server sent an incremental file that cannot be read.");
}
