using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>
/// The name of a WAL segment file: timeline, log and segment as 24 upper-case hex digits (xlog_internal.h, XLogFileName).
/// </summary>
public readonly record struct WalSegmentName(uint Timeline, uint Log, uint Segment)
{
    public const int DefaultSegmentSize = 16 << 20;

    /// <summary>The segment that holds the byte at <paramref name="lsn"/>.</summary>
    public static WalSegmentName Containing(uint timeline, Lsn lsn, int segmentSize)
    {
        var number = lsn.Value / (ulong)segmentSize;
        var perLog = 0x1_0000_0000UL / (ulong)segmentSize;
        return new WalSegmentName(timeline, (uint)(number / perLog), (uint)(number % perLog));
    }

    /// <summary>The LSN of the segment's first byte.</summary>
    public Lsn Start(int segmentSize) => new(((ulong)Log << 32) + ((ulong)Segment * (ulong)segmentSize));

    public WalSegmentName Next(int segmentSize) => Containing(Timeline, Start(segmentSize) + (ulong)segmentSize, segmentSize);

    public static bool TryParse([NotNullWhen(true)] string? text, out WalSegmentName name)
    {
        name = default;
        if (text?.Length != 24) return false;
        foreach (var c in text)
            if (c is not ((>= '0' and <= '9') or (>= 'A' and <= 'F'))) return false;
        name = new WalSegmentName(Part(0), Part(8), Part(16));
        return true;

        uint Part(int at) => uint.Parse(text.AsSpan(at, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
    }

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Timeline:X8}{Log:X8}{Segment:X8}");
}
