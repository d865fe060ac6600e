namespace FunctionsBackup.Repository.Retention;

/// <summary>
/// The newest sound recovery point of each of the newest so many periods. A period in which all are damaged keeps its newest, and does
/// not count.
/// </summary>
internal sealed class PeriodRule(string name, int count, Func<RetentionCandidate, string> periodOf, bool showPeriod = true) : RetentionRule
{
    public override void Apply(IReadOnlyList<RetentionCandidate> newestFirst, IReadOnlyDictionary<RetentionCandidate, Verdict> verdicts)
    {
        // Who stands for a period. Periods are looked up, not compared with the one before: where clocks are set back at midnight, a
        // day may come twice.
        var chosen = new Dictionary<string, RetentionCandidate>(StringComparer.Ordinal);
        foreach (var candidate in newestFirst)
        {
            var period = periodOf(candidate);
            if (!chosen.TryGetValue(period, out var other) || (other.Damaged && !candidate.Damaged)) chosen[period] = candidate;
        }

        var number = 0;
        foreach (var candidate in newestFirst)
        {
            var period = periodOf(candidate);
            var shown = showPeriod ? $" ({period})" : "";
            if (chosen[period] != candidate)
                verdicts[candidate].Remove($"{name}: {chosen[period].Id} stands for {period}");
            else if (number >= count)
                verdicts[candidate].Remove($"{(showPeriod ? $"{name}: {period} is " : "")}not among the newest {count}");
            else if (candidate.Damaged)
                verdicts[candidate].Keep($"{name}{shown}: damaged, takes no place");
            else
                verdicts[candidate].Keep($"{name} #{++number}{shown}");
        }
    }
}
