using System.Globalization;

namespace FunctionsBackup.Repository.Retention;

/// <summary>One rule of a policy: gives each recovery point of a component a reason to stay or to go.</summary>
internal abstract class RetentionRule
{
    /// <param name="newestFirst">All recovery points of the component that were not taken in the future.</param>
    /// <param name="verdicts">Where to put the reasons.</param>
    public abstract void Apply(IReadOnlyList<RetentionCandidate> newestFirst, IReadOnlyDictionary<RetentionCandidate, Verdict> verdicts);

    public static IEnumerable<RetentionRule> Of(RetentionPolicy policy, DateTimeOffset now)
    {
        if (policy.Last > 0) yield return new PeriodRule("last", policy.Last, c => c.Id, showPeriod: false);
        if (policy.FullBackups > 0) yield return new FullBackupsRule(policy.FullBackups);
        if (policy.Within is { } age) yield return new AgeRule(age, now);
        if (policy.Hourly > 0) yield return new PeriodRule("hourly", policy.Hourly, c => Local(c, "yyyy-MM-dd HH'h' zzz"));
        if (policy.Daily > 0) yield return new PeriodRule("daily", policy.Daily, c => Local(c, "yyyy-MM-dd"));
        if (policy.Weekly > 0) yield return new PeriodRule("weekly", policy.Weekly, c => Week(InZone(c).DateTime));
        if (policy.Monthly > 0) yield return new PeriodRule("monthly", policy.Monthly, c => Local(c, "yyyy-MM"));
        if (policy.Yearly > 0) yield return new PeriodRule("yearly", policy.Yearly, c => Local(c, "yyyy"));

        DateTimeOffset InZone(RetentionCandidate candidate) => TimeZoneInfo.ConvertTime(candidate.Time, policy.TimeZone);

        string Local(RetentionCandidate candidate, string format) => InZone(candidate).ToString(format, CultureInfo.InvariantCulture);
    }

    private static string Week(DateTime day) => $"{ISOWeek.GetYear(day):0000}-W{ISOWeek.GetWeekOfYear(day):00}";
}
