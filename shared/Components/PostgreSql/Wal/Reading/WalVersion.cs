namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>Which PostgreSQL wrote a WAL page (XLOG_PAGE_MAGIC of each release), and which segment sizes there can be.</summary>
public static class WalVersion
{
    public const int MinimumSegmentSize = 1 << 20;
    public const int MaximumSegmentSize = 1 << 30;

    /// <summary>The major version, or null if it is none of 13 to 17.</summary>
    public static int? FromMagic(ushort magic) => magic switch
    {
        0xD106 => 13,
        0xD10D => 14,
        0xD110 => 15,
        0xD113 => 16,
        0xD116 => 17,
        _ => null,
    };

    /// <summary>A power of two from 1 MiB to 1 GiB (initdb --wal-segsize).</summary>
    public static bool IsSegmentSize(long size) => size is >= MinimumSegmentSize and <= MaximumSegmentSize && (size & (size - 1)) == 0;

    /// <summary>A power of two from 1 KiB to 64 KiB (configure --with-wal-blocksize).</summary>
    public static bool IsBlockSize(long size) => size is >= 1024 and <= 65536 && (size & (size - 1)) == 0;
}
