using System.Globalization;

namespace FunctionsBackup.Cli.Running;

/// <summary>Times on the command line.</summary>
internal static class Moments
{
    private static readonly string[] Zones = ["zzz", "zz", "'Z'", "' 'zzz", "' 'zz", "' UTC'"];
    private static readonly string[] Forms = [.. Times().SelectMany(t => Zones.Select(z => t + z))];

    /// <summary>A time with its zone: <c>2026-11-22T15:00:00Z</c>, <c>2026-11-22 15:00:00.5+01</c>.</summary>
    /// <exception cref="UsageException">It is not one. Without a zone nobody can know what was meant.</exception>
    public static DateTimeOffset Parse(string text) =>
        DateTimeOffset.TryParseExact(
            text.Trim(), Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var moment)
            ? moment
            : throw new UsageException($"'{text}' is not a time with its zone; write it as 2026-11-22T15:00:00Z or \"2026-11-22 15:00:00+01\".");

    private static IEnumerable<string> Times() =>
        from separator in new[] { "'T'", "' '" }
        from clock in new[] { "HH:mm:ss.FFFFFFF", "HH:mm:ss", "HH:mm" }
        select $"yyyy-MM-dd{separator}{clock}";
}
