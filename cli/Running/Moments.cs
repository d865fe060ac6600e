using System.Globalization;

namespace FunctionsBackup.Cli.Running;

/// <summary>Times on the command line.</summary>
internal static class Moments
{
    private static readonly string[] Separators = ["'T'", "' '"];
    private static readonly string[] Clocks = ["HH:mm:ss.FFFFFFF", "HH:mm:ss", "HH:mm"];
    private static readonly string[] Zones = ["zzz", "zz", "'Z'", "' 'zzz", "' 'zz", "' UTC'"];

    private static readonly string[] Forms =
        [.. from separator in Separators from clock in Clocks from zone in Zones select $"yyyy-MM-dd{separator}{clock}{zone}"];

    /// <summary>A time with its zone: <c>2026-11-22T15:00:00Z</c>, <c>2026-11-22 15:00:00.5+01</c>.</summary>
    /// <exception cref="UsageException">It is not one. Without a zone nobody can know what was meant.</exception>
    public static DateTimeOffset Parse(string text) =>
        DateTimeOffset.TryParseExact(
            text.Trim(), Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal,
                out var moment)
            ? moment
            : throw new UsageException(
                $"'{text}' is not a time with its zone; write it as 2026-11-22T15:00:00Z or \"2026-11-22 15:00:00+01\".");
}
