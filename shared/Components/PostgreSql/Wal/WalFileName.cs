using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>What kinds of files a server archives.</summary>
public enum WalFileKind
{
    /// <summary><c>000000010000000000000001</c>: a complete segment.</summary>
    Segment,

    /// <summary><c>000000010000000000000001.partial</c>: the last segment of a timeline that a promoted standby left.</summary>
    PartialSegment,

    /// <summary><c>000000010000000000000001.00000028.backup</c>: a copy of a base backup's label.</summary>
    BackupLabel,

    /// <summary><c>00000002.history</c>: where a timeline forked off.</summary>
    History,
}

/// <summary>The name of a file in <c>pg_wal</c> that is archived (xlog_internal.h). Anything else, a path above all, is not one.</summary>
/// <param name="Kind">Its kind.</param>
/// <param name="Timeline">Its timeline.</param>
/// <param name="Segment">The segment that it is, or belongs to; default for a history file.</param>
/// <param name="Text">The name as it is written.</param>
public readonly record struct WalFileName(WalFileKind Kind, uint Timeline, WalSegmentName Segment, string Text)
{
    public static bool TryParse([NotNullWhen(true)] string? text, out WalFileName name)
    {
        name = default;
        if (text is null || text.Length < 16) return false;
        if (text.Length == 16 && text.EndsWith(".history", StringComparison.Ordinal))
        {
            if (!TryHex(text.AsSpan(0, 8), out var timeline)) return false;
            name = new WalFileName(WalFileKind.History, timeline, default, text);
            return timeline > 0;
        }

        if (text.Length < 24 || !WalSegmentName.TryParse(text[..24], out var segment) || segment.Timeline == 0) return false;
        WalFileKind? kind = text[24..] switch
        {
            "" => WalFileKind.Segment,
            ".partial" => WalFileKind.PartialSegment,
            ['.', .. { Length: 8 } offset, '.', 'b', 'a', 'c', 'k', 'u', 'p'] when TryHex(offset, out _) => WalFileKind.BackupLabel,
            _ => null,
        };
        if (kind is not { } known) return false;
        name = new WalFileName(known, segment.Timeline, segment, text);
        return true;
    }

    public override string ToString() => Text;

    private static bool TryHex(ReadOnlySpan<char> text, out uint value)
    {
        value = 0;
        foreach (var c in text)
            if (c is not ((>= '0' and <= '9') or (>= 'A' and <= 'F'))) return false;
        return uint.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }
}
