using System.Globalization;

namespace FunctionsBackup.Operations.Configuration.Values;

/// <summary>
/// When something runs, checked but not evaluated here: five fields (minute hour day month weekday) as in crontab(5), or six with seconds
/// first, as the NCRONTAB expressions of Azure Functions timers. Day of month and weekday must both match.
/// </summary>
public sealed record CronSchedule
{
    private static readonly string[] Months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    private static readonly string[] Days = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

    private CronSchedule(string text, bool hasSeconds) => (Text, HasSeconds) = (text, hasSeconds);

    public string Text { get; }

    public bool HasSeconds { get; }

    /// <summary>Always six fields, seconds first.</summary>
    public string SixFields => HasSeconds ? Text : $"0 {Text}";

    public override string ToString() => Text;

    /// <returns>What is wrong, with the mend; null if nothing is.</returns>
    public static string? TryParse(string text, out CronSchedule? schedule)
    {
        schedule = null;
        var fields = text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        if (text.Length > 256 || fields.Length is not (5 or 6))
            return "must have 5 fields (minute hour day month weekday) or 6 with seconds first, as in \"0 2 * * *\"";
        var ranges = new (string Name, int Low, int High, string[] Names)[]
        {
            ("seconds", 0, 59, []), ("minute", 0, 59, []), ("hour", 0, 23, []), ("day of month", 1, 31, []), ("month", 1, 12, Months),
            ("weekday", 0, 6, Days),
        };
        for (var i = 0; i < fields.Length; i++)
        {
            var (name, low, high, names) = ranges[i + 6 - fields.Length];
            if (!IsField(fields[i], low, high, names))
                return $"has a {name} field that is not valid; use *, numbers from {low} to {high}, ranges a-b, steps */n and lists with commas";
        }

        schedule = new CronSchedule(string.Join(' ', fields), fields.Length == 6);
        return null;
    }

    private static bool IsField(string field, int low, int high, string[] names) =>
        field.Split(',').All(part =>
        {
            var slash = part.IndexOf('/');
            if (slash >= 0 && (!Number(part[(slash + 1)..], out var step) || step < 1 || step > high)) return false;
            var range = slash < 0 ? part : part[..slash];
            if (range == "*") return true;
            var dash = range.IndexOf('-');
            if (dash < 0) return Value(range, low, high, names, out _);
            return Value(range[..dash], low, high, names, out var first) && Value(range[(dash + 1)..], low, high, names, out var last)
                && first <= last;
        });

    private static bool Value(string text, int low, int high, string[] names, out int value)
    {
        var named = Array.FindIndex(names, n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
        value = named + low;
        return named >= 0 || (Number(text, out value) && value >= low && value <= high);
    }

    private static bool Number(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);
}
