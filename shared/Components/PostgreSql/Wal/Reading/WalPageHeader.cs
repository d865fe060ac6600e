using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// The header at the start of every WAL page (xlog_internal.h, XLogPageHeaderData and XLogLongPageHeaderData; little-endian servers).
/// </summary>
/// <param name="Magic">Tells the WAL version.</param>
/// <param name="Info">Flag bits.</param>
/// <param name="Timeline">Timeline of the first record on the page.</param>
/// <param name="Address">LSN of the page.</param>
/// <param name="Remaining">Bytes of a record begun on an earlier page that are still to come, this page's included.</param>
public readonly record struct WalPageHeader(ushort Magic, ushort Info, uint Timeline, Lsn Address, uint Remaining)
{
    public const int ShortSize = 24;
    public const int LongSize = 40;
    public const ushort FirstIsContinuation = 0x0001;
    public const ushort LongHeader = 0x0002;
    public const ushort FirstIsOverwriteContinuation = 0x0008;
    public const ushort AllFlags = 0x000F;

    public int Size => (Info & LongHeader) != 0 ? LongSize : ShortSize;

    public bool IsContinuation => (Info & FirstIsContinuation) != 0;

    public bool IsOverwrite => (Info & FirstIsOverwriteContinuation) != 0;

    /// <param name="page">At least <see cref="ShortSize"/> bytes.</param>
    public static WalPageHeader Read(ReadOnlySpan<byte> page) => new(
        BinaryPrimitives.ReadUInt16LittleEndian(page),
        BinaryPrimitives.ReadUInt16LittleEndian(page[2..]),
        BinaryPrimitives.ReadUInt32LittleEndian(page[4..]),
        new Lsn(BinaryPrimitives.ReadUInt64LittleEndian(page[8..])),
        BinaryPrimitives.ReadUInt32LittleEndian(page[16..]));
}

/// <summary>What the first page of a segment says beyond the short header.</summary>
/// <param name="SystemIdentifier">The cluster.</param>
/// <param name="SegmentSize">Bytes per segment.</param>
/// <param name="BlockSize">Bytes per WAL page (XLOG_BLCKSZ).</param>
public readonly record struct WalLongHeader(ulong SystemIdentifier, uint SegmentSize, uint BlockSize)
{
    /// <param name="page">At least <see cref="WalPageHeader.LongSize"/> bytes.</param>
    public static WalLongHeader Read(ReadOnlySpan<byte> page) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(page[24..]),
        BinaryPrimitives.ReadUInt32LittleEndian(page[32..]),
        BinaryPrimitives.ReadUInt32LittleEndian(page[36..]));
}
