using System.Globalization;

namespace FunctionsBackup.Repository.Retention;

/// <summary>Everything up to an age.</summary>
internal sealed class AgeRule(TimeSpan age, DateTimeOffset now) : RetentionRule
{
    public override void Apply(IReadOnlyList<RetentionCandidate> newestFirst, IReadOnlyDictionary<RetentionCandidate, Verdict> verdicts)
    {
        foreach (var candidate in newestFirst)
        {
            if (now - candidate.Time <= age) verdicts[candidate].Keep($"within {Words(age)}");
            else verdicts[candidate].Remove($"older than {Words(age)}");
        }
    }

    private static string Words(TimeSpan age) => age switch
    {
        { Ticks: var t } when t % TimeSpan.TicksPerDay == 0 => Count(t / TimeSpan.TicksPerDay, "day"),
        { Ticks: var t } when t % TimeSpan.TicksPerHour == 0 => Count(t / TimeSpan.TicksPerHour, "hour"),
        { Ticks: var t } when t % TimeSpan.TicksPerMinute == 0 => Count(t / TimeSpan.TicksPerMinute, "minute"),
        _ => age.ToString("c", CultureInfo.InvariantCulture),
    };

    private static string Count(long number, string unit) => number == 1 ? $"1 {unit}" : $"{number} {unit}s";
}
