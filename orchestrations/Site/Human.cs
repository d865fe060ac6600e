using System.Globalization;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>Figures as people read them.</summary>
public static class Human
{
    public static string Bytes(long bytes)
    {
        if (bytes < 1024) return $"{bytes} B";
        var value = bytes / 1024.0;
        var unit = 0;
        while (value >= 1024 && unit < 4)
        {
            value /= 1024;
            unit++;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{value:0.0} {"KMGTP"[unit]}iB");
    }

    /// <summary>Two units at most: <c>850 ms</c>, <c>3.2 s</c>, <c>4 min 10 s</c>, <c>3 h 5 min</c>, <c>2 d 4 h</c>.</summary>
    public static string Time(TimeSpan time)
    {
        if (time < TimeSpan.Zero) return "0 s";
        if (time.TotalSeconds < 1) return $"{time.TotalMilliseconds:0} ms";
        if (time.TotalMinutes < 1) return $"{time.TotalSeconds:0.0} s";
        if (time.TotalHours < 1) return Two(time.Minutes, "min", time.Seconds, "s");
        return time.TotalDays < 1 ? Two(time.Hours, "h", time.Minutes, "min") : Two(time.Days, "d", time.Hours, "h");

        static string Two(int large, string unit, int small, string smallUnit) => small == 0 ? $"{large} {unit}"
            : $"{large} {unit} {small} {smallUnit}";
    }

    public static string Moment(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    /// <summary>The same for programs: ISO 8601 with fractions, UTC.</summary>
    public static string Iso(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", CultureInfo.InvariantCulture);

    public static string Count(long number, string one, string many) => number == 1 ? $"1 {one}" : $"{number:N0} {many}";
}
