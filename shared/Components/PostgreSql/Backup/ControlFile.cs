using System.Buffers.Binary;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// <c>global/pg_control</c> of PostgreSQL 13–17 (catalog/pg_control.h; control versions 1300 and 1700, whose layouts are the same up to the checksum, on x64 and arm64): the parts
/// that a backup needs, read only if the checksum fits, since the server may be writing the file.
/// </summary>
public sealed record ControlFile(
    ulong SystemIdentifier, uint CatalogVersion, Lsn CheckpointRedo, uint Timeline, int BlockSize, uint SegmentBlocks, int WalSegmentSize, uint ChecksumVersion)
{
    /// <summary>Bytes that the server reads and writes at once.</summary>
    public const int FileSize = 8192;

    private const uint Version13To16 = 1300;
    private const uint Version17 = 1700;
    private const int CrcOffset = 288;

    /// <summary>Null if the bytes are torn or not a control file of these versions.</summary>
    public static ControlFile? Read(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < CrcOffset + sizeof(uint)) return null;
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[8..]) is not (Version13To16 or Version17)) return null;
        if (~Crc32C.Update(Crc32C.Initial, bytes[..CrcOffset]) != BinaryPrimitives.ReadUInt32LittleEndian(bytes[CrcOffset..])) return null;
        return new ControlFile(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..]),
            new Lsn(BinaryPrimitives.ReadUInt64LittleEndian(bytes[40..])),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[48..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[216..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[220..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[228..]),
            BinaryPrimitives.ReadUInt32LittleEndian(bytes[252..]));
    }
}
