using System.Globalization;

namespace FunctionsBackup.Operations.Configuration.Values;

/// <summary>Lengths of time as people write them: <c>90s</c>, <c>15m</c>, <c>2h</c>, <c>1h30m</c>, <c>30d</c>, <c>60 min</c>, <c>6
/// weeks</c>.</summary>
public static class Duration
{
    public static readonly TimeSpan Maximum = TimeSpan.FromDays(36_525);

    /// <summary>False if the text is not such a length, is zero, or exceeds <see cref="Maximum"/>.</summary>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = TimeSpan.Zero;
        var rest = text.AsSpan().Trim();
        if (rest.IsEmpty || rest.Length > 64) return false;
        var total = 0.0;
        while (!rest.IsEmpty)
        {
            var digits = rest.IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9) return false;
            var number = int.Parse(rest[..digits], CultureInfo.InvariantCulture);
            rest = rest[digits..].TrimStart();
            var letters = rest.IndexOfAnyExceptInRange('a', 'z');
            var unit = letters < 0 ? rest : rest[..letters];
            var seconds = Seconds(unit);
            if (seconds == 0) return false;
            total += (double)number * seconds;
            rest = rest[unit.Length..].TrimStart();
        }

        if (total <= 0 || total > Maximum.TotalSeconds) return false;
        duration = TimeSpan.FromSeconds(total);
        return true;
    }

    /// <summary>The shortest exact form: <c>1h30m</c>, <c>30d</c>.</summary>
    public static string Format(TimeSpan duration)
    {
        var text = "";
        if (duration.Days > 0) text += $"{duration.Days}d";
        if (duration.Hours > 0) text += $"{duration.Hours}h";
        if (duration.Minutes > 0) text += $"{duration.Minutes}m";
        if (duration.Seconds > 0 || text.Length == 0) text += $"{duration.Seconds}s";
        return text;
    }

    private static int Seconds(ReadOnlySpan<char> unit) => unit switch
    {
        "s" or "sec" or "second" or "seconds" => 1,
        "m" or "min" or "minute" or "minutes" => 60,
        "h" or "hour" or "hours" => 3600,
        "d" or "day" or "days" => 86_400,
        "w" or "week" or "weeks" => 604_800,
        _ => 0,
    };
}
