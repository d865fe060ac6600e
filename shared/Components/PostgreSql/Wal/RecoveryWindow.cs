using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>
/// The reachable window of one base backup: from its end to the last WAL that follows without a gap. A gap is found by content (page
/// headers, LSN chain), and named.
/// </summary>
/// <param name="Timeline">The timeline followed to its end.</param>
/// <param name="BeginLsn">Stop LSN of the base backup: the earliest consistent point.</param>
/// <param name="BeginTime">Time of that.</param>
/// <param name="EndLsn">End of the last complete record that can be replayed.</param>
/// <param name="EndTime">Commit time of the last transaction in it; null if there is none after the base backup.</param>
/// <param name="Gap">The first missing or broken segment, as a sentence, if later WAL exists behind it.</param>
public sealed record RecoveryWindow(
    uint Timeline, Lsn BeginLsn, DateTimeOffset BeginTime, Lsn EndLsn, DateTimeOffset? EndTime, string? Gap)
{
    /// <summary>Latest time that any record states: nothing is missing up to then. At or after <see cref="EndTime"/>.</summary>
    public DateTimeOffset? KnownUntil { get; init; }

    /// <summary>Segments that recovery reads, the last one perhaps in part.</summary>
    public long Segments { get; init; }

    /// <summary>What is wrong where the WAL ends, if that is not just its end.</summary>
    public string? EndReason { get; init; }

    /// <summary>The window in words: <c>from 2026-11-22 15:00:00Z (LSN 0/3000138) to …, on timeline 1</c>.</summary>
    public string Describe()
    {
        var end = KnownUntil is { } time ? $"{Format(time)} (LSN {EndLsn})" : $"LSN {EndLsn}";
        return $"from {Format(BeginTime)} (LSN {BeginLsn}) to {end}, on timeline {Timeline}";
    }

    internal static string Format(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
