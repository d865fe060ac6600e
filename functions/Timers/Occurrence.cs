using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Operations.Scheduling;
using Microsoft.Azure.Functions.Worker;
using Microsoft.Extensions.Configuration;

namespace FunctionsBackup.Functions.Timers;

/// <summary>What a timer's facts say in instants.</summary>
internal static class Occurrence
{
    /// <summary>Since when nothing was run: what is due is due after this.</summary>
    /// <param name="timer">As the host says; the two hosts differ in what a first run is told.</param>
    /// <param name="now">By the clock.</param>
    /// <param name="period">What to look back where the host knows nothing.</param>
    public static DateTimeOffset Since(TimerInfo timer, DateTimeOffset now, TimeSpan period)
    {
        var known = timer.ScheduleStatus is { } status
            ? new[] { status.Last, status.LastUpdated }.FirstOrDefault(t => t.Year > 2000)
            : default;
        if (known == default) return now - period;
        var since = new DateTimeOffset(known.Kind == DateTimeKind.Local ? known.ToUniversalTime() : DateTime.SpecifyKind(known, DateTimeKind.Utc));
        return since < now ? since : now - period;
    }

    /// <summary>The occurrence that this run is for: the same however often and wherever it is repeated.</summary>
    public static DateTimeOffset DueAt(TimerInfo timer, IConfiguration settings, string setting, DateTimeOffset now)
    {
        var text = settings[setting] ?? AppSettings.Defaults[setting];
        if (CronSchedule.TryParse(text, out var expression) is not null
            || TimeZones.TryFind(settings["WEBSITE_TIME_ZONE"] ?? "UTC", out var zone) is not null)
            return Minute(now); // the host, which accepted it, reads more than we do
        return new Schedule(expression!, zone!).LatestBetween(Since(timer, now, TimeSpan.FromDays(1)), now) ?? Minute(now);
    }

    private static DateTimeOffset Minute(DateTimeOffset now) => new(now.Ticks - (now.Ticks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
}
