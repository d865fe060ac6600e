using FunctionsBackup.Repository.Retention;

namespace FunctionsBackup.Tests.Repository.Retention;

public sealed class RetentionPlanTests
{
    private static readonly DateTimeOffset Now = Time("2026-11-22T12:00:00Z");

    private static readonly TimeZoneInfo Berlin = TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin");

    [Fact]
    public void An_empty_policy_removes_nothing()
    {
        var decisions = Decide(new RetentionPolicy(), Daily(400));
        decisions.ShouldAllBe(d => d.Keep);
        decisions[0].Reasons.ShouldBe(["no retention rule is set"]);
    }

    [Fact]
    public void Decisions_come_oldest_first_with_reasons_in_words()
    {
        var decisions = Decide(new RetentionPolicy { Last = 2, Daily = 3, Within = TimeSpan.FromDays(1) }, Daily(5));
        decisions.Select(d => (d.Candidate.Id, d.Keep, string.Join("; ", d.Reasons))).ShouldBe(
        [
            ("d5", false, "not among the newest 2; older than 1 day; daily: 2026-11-18 is not among the newest 3"),
            ("d4", false, "not among the newest 2; older than 1 day; daily: 2026-11-19 is not among the newest 3"),
            ("d3", true, "daily #3 (2026-11-20)"),
            ("d2", true, "last #2; within 1 day; daily #2 (2026-11-21)"),
            ("d1", true, "newest sound recovery point of redis; last #1; within 1 day; daily #1 (2026-11-22)"),
        ]);
    }

    [Fact]
    public void Full_backups_keep_the_incrementals_that_came_after_them()
    {
        // A full one each Sunday, incrementals each day between.
        var all = Enumerable.Range(0, 35).Select(i => new RetentionCandidate(
            $"p{i:00}", "postgres", i % 7 == 0 ? "full" : "incremental", Now.AddDays(i - 35))).ToList();
        var decisions = Decide(new RetentionPolicy { FullBackups = 3 }, all);
        Kept(decisions).ShouldBe(all.Skip(14).Select(c => c.Id));
        Reason(decisions, "p14").ShouldBe("full backup #3");
        Reason(decisions, "p15").ShouldBe("newer than the oldest of the newest 3 full backups");
        Reason(decisions, "p13").ShouldBe("older than the oldest full backup that is kept, p14");
        Reason(decisions, "p07").ShouldBe("not among the newest 3 full backups");
        Kept(Decide(new RetentionPolicy { FullBackups = 30 }, all)).Count.ShouldBe(35);
    }

    [Fact]
    public void Incrementals_without_enough_full_backups_stay()
    {
        var all = Enumerable.Range(0, 9).Select(i => new RetentionCandidate(
            $"p{i}", "postgres", i == 5 ? "full" : "incremental", Now.AddDays(i - 9)));
        Kept(Decide(new RetentionPolicy { FullBackups = 2 }, all)).Count.ShouldBe(9);
        Kept(Decide(new RetentionPolicy { FullBackups = 1 }, all)).ShouldBe(["p5", "p6", "p7", "p8"]);
    }

    [Fact]
    public void Counts_and_ages_keep_as_many_as_they_say()
    {
        Kept(Decide(new RetentionPolicy { Last = 7 }, Daily(20))).Count.ShouldBe(7);
        Kept(Decide(new RetentionPolicy { Within = TimeSpan.FromDays(90) }, Daily(200))).Count.ShouldBe(91); // both ends of the 90 days
        Kept(Decide(new RetentionPolicy { Within = TimeSpan.MaxValue }, Daily(3))).Count.ShouldBe(3);
        Should.Throw<ArgumentException>(() => Decide(new RetentionPolicy { Daily = -1 }, Daily(1)));
        Should.Throw<ArgumentException>(() => Decide(new RetentionPolicy { Within = TimeSpan.FromDays(-1) }, Daily(1)));
    }

    [Fact]
    public void The_newest_sound_one_stays_however_old()
    {
        RetentionCandidate[] all =
        [
            new("old", "redis", "full", Now.AddYears(-3)),
            new("sound", "redis", "full", Now.AddYears(-2)),
            new("damaged", "redis", "full", Now.AddYears(-1), Damaged: true),
            new("other", "logs", "full", Now.AddYears(-9)),
        ];
        var decisions = Decide(new RetentionPolicy { Within = TimeSpan.FromHours(36) }, all);
        Kept(decisions).ShouldBe(["other", "sound"]);
        Reason(decisions, "damaged").ShouldBe("older than 36 hours");
        Reason(decisions, "other").ShouldBe("newest sound recovery point of logs");
    }

    [Fact]
    public void While_nothing_is_sound_nothing_goes()
    {
        var all = Daily(5).Select(c => c with { Damaged = true });
        var decisions = Decide(new RetentionPolicy { Last = 1 }, all);
        decisions.ShouldAllBe(d => d.Keep);
        Reason(decisions, "d5").ShouldStartWith("there is no sound recovery point of redis");
    }

    [Fact]
    public void Damaged_ones_take_nobodys_place()
    {
        var all = Daily(6).Select(c => c with { Damaged = c.Id is "d1" or "d3" });
        var decisions = Decide(new RetentionPolicy { Last = 2 }, all);
        Kept(decisions).ShouldBe(["d4", "d3", "d2", "d1"]);
        Reason(decisions, "d3").ShouldBe("last: damaged, takes no place");
        // In a day that has a sound one, the damaged one goes.
        RetentionCandidate[] day =
            [new("sound", "redis", "full", Now.AddHours(-9)), new("damaged", "redis", "full", Now.AddHours(-1), Damaged: true)];
        Kept(Decide(new RetentionPolicy { Daily = 5 }, day)).ShouldBe(["sound"]);
    }

    [Fact]
    public void Pins_win()
    {
        var decisions = Decide(
            new RetentionPolicy { Last = 1 }, Daily(4).Select(c => c with { Pinned = c.Id == "d4", Damaged = c.Id == "d4" }));
        Kept(decisions).ShouldBe(["d4", "d1"]);
        Reason(decisions, "d4").ShouldBe("pinned");
    }

    [Fact]
    public void What_comes_from_the_future_stays_and_takes_nobodys_place()
    {
        RetentionCandidate[] all = [.. Daily(3), new("f1", "redis", "full", Now.AddTicks(1)), new("f2", "redis", "full", Now.AddYears(70))];
        var decisions = Decide(new RetentionPolicy { Last = 1 }, all);
        Kept(decisions).ShouldBe(["d1", "f1", "f2"]);
        Reason(decisions, "f2").ShouldBe("taken in the future: a clock is wrong");
        Reason(decisions, "d1").ShouldContain("newest sound");
    }

    [Fact]
    public void Each_component_has_its_own_policy_and_count()
    {
        RetentionCandidate[] all = [.. Daily(4), .. Daily(4).Select(c => c with { Id = "l" + c.Id, Component = "logs" })];
        var decisions = RetentionPlan.Decide(all, component => new RetentionPolicy { Last = component == "logs" ? 3 : 1 }, Now);
        Kept(decisions).ShouldBe(["ld3", "ld2", "d1", "ld1"]);
    }

    [Fact]
    public void Grandfather_father_son()
    {
        var all = Enumerable.Range(0, 24 * 800).Select(h => new RetentionCandidate($"h{h:00000}", "redis", "full", Now.AddHours(-h)));
        var policy = new RetentionPolicy { Hourly = 24, Daily = 7, Weekly = 4, Monthly = 12, Yearly = 5 };
        var kept = Decide(policy, all).Where(d => d.Keep).ToList();
        Times("hourly").Count.ShouldBe(24);
        Times("daily").ShouldBe([.. Enumerable.Range(0, 6).Select(i => $"2026-11-{16 + i}T23"), "2026-11-22T12"]);
        Times("weekly").ShouldBe(["2026-11-01T23", "2026-11-08T23", "2026-11-15T23", "2026-11-22T12"]); // Sundays
        Times("monthly").Take(3).ShouldBe(["2025-12-31T23", "2026-01-31T23", "2026-02-28T23"]);
        Times("monthly").Count.ShouldBe(12);
        Times("yearly").ShouldBe(["2024-12-31T23", "2025-12-31T23", "2026-11-22T12"]);
        kept.Count.ShouldBe(24 + 5 + 3 + 11 + 1); // today is one of each kind, yesterday's last hour and the last day of 2025 are two

        List<string> Times(string rule) =>
            [
            .. kept.Where(d => d.Reasons.Any(r => r.StartsWith(rule, StringComparison.Ordinal)))
                .Select(d => d.Candidate.Time.UtcDateTime.ToString("yyyy-MM-ddTHH")),
        ];
    }

    [Fact]
    public void Days_begin_where_the_policy_says()
    {
        RetentionCandidate[] all =
            [new("a", "redis", "full", Time("2026-11-20T22:30:00Z")), new("b", "redis", "full", Time("2026-11-20T23:30:00Z"))];
        Kept(Decide(new RetentionPolicy { Daily = 9 }, all)).ShouldBe(["b"]);
        Kept(Decide(new RetentionPolicy { Daily = 9, TimeZone = Berlin }, all)).ShouldBe(["a", "b"]);
        Kept(Decide(new RetentionPolicy { Daily = 9 }, all.Select(c => c with { Time = c.Time.ToOffset(TimeSpan.FromHours(5)) })))
            .ShouldBe(["b"]);
    }

    [Fact]
    public void The_hour_that_comes_twice_is_two_hours_and_its_day_is_one_day()
    {
        // Berlin, 2026-10-25: 03:00 becomes 02:00. 00:30Z and 01:30Z are both 02:30.
        var policy = new RetentionPolicy { TimeZone = Berlin };
        var all = Hours(Time("2026-10-24T21:30:00Z"), 28);
        Kept(Decide(policy with { Hourly = 100 }, all)).Count.ShouldBe(28);
        Reason(Decide(policy with { Hourly = 100 }, all), "h03").ShouldEndWith("(2026-10-25 02h +02:00)");
        Reason(Decide(policy with { Hourly = 100 }, all), "h04").ShouldEndWith("(2026-10-25 02h +01:00)");
        // The day has 25 hours: 22:30Z of the day before until 22:30Z, h01 to h25.
        Kept(Decide(policy with { Daily = 100 }, all)).ShouldBe(["h00", "h25", "h27"]);
    }

    [Fact]
    public void The_day_that_lacks_an_hour_is_one_day()
    {
        // Berlin, 2026-03-29: 02:00 becomes 03:00; the day lasts from 23:00Z to 22:00Z.
        var policy = new RetentionPolicy { Daily = 100, TimeZone = Berlin };
        var all = Hours(Time("2026-03-28T22:30:00Z"), 26);
        Kept(Decide(policy, all)).ShouldBe(["h00", "h23", "h25"]);
    }

    [Fact]
    public void The_same_recovery_point_twice_is_an_error() =>
        Should.Throw<ArgumentException>(() => Decide(new RetentionPolicy(), [.. Daily(1), .. Daily(1)])).Message.ShouldContain("d1");

    private static IReadOnlyList<RetentionDecision> Decide(RetentionPolicy policy, IEnumerable<RetentionCandidate> all) =>
        RetentionPlan.Decide(all, policy, Now);

    private static List<string> Kept(IEnumerable<RetentionDecision> decisions) =>
        [.. decisions.Where(d => d.Keep).Select(d => d.Candidate.Id)];

    private static string Reason(IEnumerable<RetentionDecision> decisions, string id) =>
        string.Join("; ", decisions.Single(d => d.Candidate.Id == id).Reasons);

    /// <summary>One a day at noon: <c>d1</c> is now, <c>d2</c> yesterday's.</summary>
    private static List<RetentionCandidate> Daily(int count) =>
        [.. Enumerable.Range(1, count).Select(i => new RetentionCandidate($"d{i}", "redis", "full", Now.AddDays(1 - i)))];

    /// <summary>One an hour from a time on: <c>h00</c> is the first.</summary>
    private static List<RetentionCandidate> Hours(DateTimeOffset first, int count) =>
        [.. Enumerable.Range(0, count).Select(h => new RetentionCandidate($"h{h:00}", "redis", "full", first.AddHours(h)))];

    private static DateTimeOffset Time(string text) => DateTimeOffset.Parse(text);
}
