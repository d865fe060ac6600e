using FunctionsBackup.Operations.Configuration.Values;

namespace FunctionsBackup.Tests.Operations.Scheduling;

/// <summary>
/// Another way to the same answer, for comparison: walks through time step by step, looks at the wall clock, and matches its fields. Slow,
/// and too simple to be wrong in the same way.
/// </summary>
internal static class WallClock
{
    public static List<DateTimeOffset> Occurrences(
        string expression, TimeZoneInfo zone, DateTimeOffset after, DateTimeOffset until, TimeSpan step)
    {
        CronSchedule.TryParse(expression, out var parsed).ShouldBeNull();
        var fields = parsed!.SixFields.Split(' ');
        var (second, minute, hour) = (Values(fields[0], 0, 59), Values(fields[1], 0, 59), Values(fields[2], 0, 23));
        var (day, month, weekday) = (Values(fields[3], 1, 31), Values(fields[4], 1, 12), Values(fields[5], 0, 6));
        var everyHour = hour.Count == 24;
        var found = new List<DateTimeOffset>();
        // The day before is walked through too, so that the latest time shown is known at the beginning.
        var latest = Local(after.AddDays(-1));
        for (var instant = after.AddDays(-1) + step; instant <= until; instant += step)
        {
            var local = Local(instant);
            var due = everyHour && Matches(local);
            if (!everyHour)
                for (var shown = latest + step; shown <= local && !due; shown += step) due = Matches(shown);
            if (local > latest) latest = local;
            if (due && instant > after) found.Add(instant);
        }

        return found;

        DateTime Local(DateTimeOffset instant) => TimeZoneInfo.ConvertTime(instant, zone).DateTime;

        bool Matches(DateTime t) =>
            minute.Contains(t.Minute) && hour.Contains(t.Hour) && second.Contains(t.Second) && day.Contains(t.Day)
            && month.Contains(t.Month) && weekday.Contains((int)t.DayOfWeek);
    }

    /// <summary>Of a field with <c>*</c>, numbers, ranges, steps and lists; the tests use no names.</summary>
    private static HashSet<int> Values(string field, int low, int high)
    {
        var values = new HashSet<int>();
        foreach (var part in field.Split(','))
        {
            var pieces = part.Split('/');
            var ends = pieces[0] == "*" ? [low, high] : pieces[0].Split('-').Select(int.Parse).ToArray();
            var last = ends.Length > 1 ? ends[1] : pieces.Length > 1 ? high : ends[0];
            for (var value = ends[0]; value <= last; value += pieces.Length > 1 ? int.Parse(pieces[1]) : 1) values.Add(value);
        }

        return values;
    }
}
