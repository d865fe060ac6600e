using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Operations.Scheduling;

namespace FunctionsBackup.Tests.Operations.Scheduling;

/// <summary>A year with its changes of the clock: each schedule is due exactly when it should be.</summary>
public sealed class SimulatedYearTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>North and south, half an hour, change at midnight, change for Ramadan, none at all, none with a half-hour offset.</summary>
    private static readonly string[] Zones =
    [
        "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "Asia/Kolkata",
    ];

    private static readonly string[] Expressions =
    [
        "0 2 * * *", "30 2 * * *", "15,45 1-2 * * *", "0 */4 * * *", "0 0 * * *", "*/15 * * * *", "0 * * * *", "45 1 * * 0", "0 3 1 * *",
        "10 2 29 3,10 *", "* 2 * * 0",
    ];

    public static TheoryData<string, string> YearCases => Each(Expressions);

    public static TheoryData<string, string> SecondCases =>
        Each("30 30 2 * * *", "*/20 59 1,2 * * *", "15 */10 * * * *", "59 59 23 * * *");

    [Theory]
    [MemberData(nameof(YearCases))]
    public void Each_schedule_is_due_exactly_when_it_should_be(string zone, string expression)
    {
        var until = Start.AddYears(1);
        Of(expression, zone).Between(Start, until).ToList()
            .ShouldBe(WallClock.Occurrences(expression, Zone(zone), Start, until, TimeSpan.FromMinutes(1)));
    }

    /// <summary>With seconds, on the days around each change of the clock.</summary>
    [Theory]
    [MemberData(nameof(SecondCases))]
    public void So_is_one_with_seconds(string zone, string expression)
    {
        for (var day = Start; day < Start.AddYears(1); day = day.AddDays(1))
        {
            if (day > Start && Zone(zone).GetUtcOffset(day) == Zone(zone).GetUtcOffset(day.AddDays(1))) continue;
            var (from, until) = (day.AddHours(-6), day.AddHours(30));
            Of(expression, zone).Between(from, until).ToList()
                .ShouldBe(WallClock.Occurrences(expression, Zone(zone), from, until, TimeSpan.FromSeconds(1)));
        }
    }

    /// <summary>From any moment, also within the hour that comes twice, the next occurrence is the one that follows.</summary>
    [Theory]
    [InlineData("Europe/Berlin")]
    [InlineData("Australia/Lord_Howe")]
    public void The_next_one_does_not_depend_on_where_one_looks_from(string zone)
    {
        foreach (var expression in Expressions)
        {
            var schedule = Of(expression, zone);
            var all = schedule.Between(Start, Start.AddYears(1)).ToList();
            for (var moment = Start; moment < all[^1]; moment += TimeSpan.FromSeconds(13_337.7))
                schedule.NextAfter(moment).ShouldBe(all.First(o => o > moment));
            foreach (var occurrence in all.Take(3)) schedule.NextAfter(occurrence.AddTicks(-1)).ShouldBe(occurrence);
        }
    }

    [Theory]
    [InlineData("0 2 * * *", 365)]
    [InlineData("30 2 * * *", 365)]
    [InlineData("0 */4 * * *", 365 * 6)]
    public void A_daily_backup_is_neither_lost_nor_taken_twice(string expression, int count)
    {
        foreach (var zone in Zones) Of(expression, zone).Between(Local(zone, 2026), Local(zone, 2027)).Count().ShouldBe(count);

        static DateTimeOffset Local(string zone, int year)
        {
            var first = new DateTime(year, 1, 1).AddSeconds(-1);
            return new DateTimeOffset(first, Zone(zone).GetUtcOffset(first));
        }
    }

    /// <summary>Ticks that come every minute, late, twice, from two hosts, or not for days: every occurrence is started once, or stood for
    /// by a newer one.</summary>
    [Theory]
    [InlineData("UTC")]
    [InlineData("Europe/Berlin")]
    [InlineData("Australia/Lord_Howe")]
    public void Ticks_with_gaps_start_the_newest_of_what_was_missed_once(string zone)
    {
        PolicySchedule[] policies = [new("redis", "snapshot", Of("0 */2 * * *", zone)), new("logs", "snapshot", Of("30 2 * * *", zone))];
        var occurrences = policies.ToDictionary(p => p.Component, p => p.Schedule.Between(Start, Start.AddYears(1)).ToList());
        var random = new Random(7);
        var started = new List<DuePolicy>();
        var last = Start;
        for (var now = Start; now < Start.AddYears(1); now += random.Next(20_000) switch
        {
            0 => TimeSpan.FromHours(random.Next(1, 100)),
            < 2_000 => TimeSpan.FromSeconds(random.Next(1, 300)),
            _ => TimeSpan.FromMinutes(1),
        })
        {
            var due = DuePolicies.Between(policies, last, now);
            foreach (var policy in due)
            {
                policy.DueAt.ShouldBe(occurrences[policy.Component].Last(o => o <= now));
                policy.DueAt.ShouldBeGreaterThan(last);
            }

            started.AddRange(due);
            last = now;
        }

        started.ShouldBeUnique();
        foreach (var (component, all) in occurrences)
            started.Count(s => s.Component == component).ShouldBeInRange(all.Count * 6 / 10, all.Count - 1);
    }

    [Fact]
    public void A_zone_that_left_out_a_day_is_no_exception() => // Samoa had no 30th of December 2011
        Of("0 12 * * *", "Pacific/Apia").Between(new(2011, 12, 28, 23, 0, 0, TimeSpan.Zero), new(2012, 1, 1, 0, 0, 0, TimeSpan.Zero))
            .Select(o => o.UtcDateTime.ToString("MM-dd HH:mm"))
            .ShouldBe(["12-29 22:00", "12-30 10:00", "12-30 22:00", "12-31 22:00"]);

    [Fact]
    public void What_never_comes_is_never_due()
    {
        Of("0 0 30 2 *", "UTC").NextAfter(Start).ShouldBeNull();
        Of("0 0 29 2 *", "Europe/Berlin").NextAfter(Start).ShouldBe(new DateTimeOffset(2028, 2, 28, 23, 0, 0, TimeSpan.Zero));
    }

    private static TheoryData<string, string> Each(params string[] expressions)
    {
        var cases = new TheoryData<string, string>();
        foreach (var zone in Zones)
            foreach (var expression in expressions) cases.Add(zone, expression);
        return cases;
    }

    internal static TimeZoneInfo Zone(string name)
    {
        TimeZones.TryFind(name, out var zone).ShouldBeNull();
        return zone!;
    }

    internal static Schedule Of(string expression, string zone)
    {
        CronSchedule.TryParse(expression, out var parsed).ShouldBeNull();
        return new Schedule(parsed!, Zone(zone));
    }
}
