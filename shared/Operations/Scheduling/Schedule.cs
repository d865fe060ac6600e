using FunctionsBackup.Operations.Configuration.Values;
using NCrontab;

namespace FunctionsBackup.Operations.Scheduling;

/// <summary>
/// When something is due: an NCRONTAB expression read on the wall clock of a time zone. Where the clock is changed:
/// <list type="bullet">
/// <item>A schedule of certain hours (<c>30 2 * * *</c>) is due once for each local time that it names: at the first of two instants
/// that the clock shows it at, and at the change if the clock skipped it. A daily backup is neither lost nor taken twice.</item>
/// <item>A schedule of every hour (<c>*/15 * * * *</c>) goes on at its own pace: an hour that comes twice has its occurrences twice, so
/// that no gap is longer than the schedule says, and one that is skipped has none.</item>
/// </list>
/// Immutable; times in and out are instants.
/// </summary>
public sealed class Schedule
{
    /// <summary>How far ahead an occurrence is looked for: the 29th of February comes every eight years at the worst.</summary>
    private static readonly TimeSpan Horizon = TimeSpan.FromDays((366 * 8) + 1);

    private readonly CrontabSchedule _crontab;
    private readonly LocalClock _clock;
    private readonly bool _everyHour;

    public Schedule(CronSchedule expression, TimeZoneInfo zone)
    {
        Expression = expression;
        Zone = zone;
        _clock = new LocalClock(zone);
        _crontab = CrontabSchedule.Parse(expression.SixFields, new CrontabSchedule.ParseOptions { IncludingSeconds = true });
        _everyHour = IsEveryHour(expression.SixFields.Split(' ')[2]);
    }

    public CronSchedule Expression { get; }

    public TimeZoneInfo Zone { get; }

    /// <summary>The first occurrence after an instant; null if there is none within eight years (the 30th of February).</summary>
    public DateTimeOffset? NextAfter(DateTimeOffset instant)
    {
        if (!_everyHour) return NextLocal(_clock.LatestUpTo(instant)) is { } local ? _clock.FirstInstantOf(local) : null;
        var from = instant;
        var at = LocalClock.Floor(_clock.At(instant));
        while (NextLocal(at) is { } next)
        {
            var offset = _clock.OffsetAt(from);
            var candidate = LocalClock.Utc(next, offset);
            if (_clock.OffsetAt(candidate) == offset) return candidate;
            // The clock is changed before: look again from there, that instant included.
            from = _clock.Change(from, candidate)!.Value;
            at = LocalClock.Floor(_clock.At(from)).AddSeconds(-1);
        }

        return null;
    }

    /// <summary>All occurrences in (after, until], in order.</summary>
    public IEnumerable<DateTimeOffset> Between(DateTimeOffset after, DateTimeOffset until)
    {
        while (NextAfter(after) is { } next && next <= until) yield return after = next;
    }

    /// <summary>The newest occurrence in (after, until]; null if there is none.</summary>
    public DateTimeOffset? LatestBetween(DateTimeOffset after, DateTimeOffset until)
    {
        // Backwards in growing steps, so that a long time without a look costs little.
        for (var step = TimeSpan.FromHours(1); ; step *= 2)
        {
            var from = until - after > step ? until - step : after;
            DateTimeOffset? latest = null;
            foreach (var occurrence in Between(from, until)) latest = occurrence;
            if (latest is not null || from == after) return latest;
        }
    }

    private DateTime? NextLocal(DateTime after)
    {
        var end = DateTime.MaxValue - after > Horizon ? after + Horizon : DateTime.MaxValue;
        return _crontab.GetNextOccurrence(after, end) is var next && next < end ? next : null;
    }

    /// <summary>Whether an hour field leaves out no hour.</summary>
    private static bool IsEveryHour(string field) => CrontabField.Hours(field) is var hours && Enumerable.Range(0, 24).All(hours.Contains);
}
