using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>The first 24 bytes of a data page (PostgreSQL manual, 73.6 Database Page Layout).</summary>
/// <param name="Lsn">End of the WAL record of the last change.</param>
/// <param name="Flags">At most the three lowest bits are set.</param>
/// <param name="Lower">End of the item pointers, bytes from the page's start.</param>
/// <param name="Upper">Start of the items. 0: the page was never initialised.</param>
/// <param name="Special">Start of the access method's own area.</param>
public readonly record struct PageHeader(Lsn Lsn, ushort Flags, ushort Lower, ushort Upper, ushort Special)
{
    public const int Size = 24;

    private const int ValidFlags = 0x7;

    public bool IsNew => Upper == 0;

    public static PageHeader Read(ReadOnlySpan<byte> page) => new(
        new Lsn(((ulong)BinaryPrimitives.ReadUInt32LittleEndian(page) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(page[4..])),
        BinaryPrimitives.ReadUInt16LittleEndian(page[10..]),
        BinaryPrimitives.ReadUInt16LittleEndian(page[12..]),
        BinaryPrimitives.ReadUInt16LittleEndian(page[14..]),
        BinaryPrimitives.ReadUInt16LittleEndian(page[16..]));

    /// <summary>What the server itself demands of the header of a page that it reads.</summary>
    public bool IsSane(int pageSize) =>
        (Flags & ~ValidFlags) == 0 && Lower >= Size && Lower <= Upper && Upper <= Special && Special <= pageSize && Special % 8 == 0;
}
