namespace FunctionsBackup.Repository.Retention;

/// <summary>
/// Decides which recovery points stay. A pure function: the same input gives the same output, in whatever order the input comes.
/// </summary>
/// <remarks>
/// Whatever the policy: pinned recovery points stay; the newest sound one of a component stays; what was taken in the future stays and
/// takes nobody's place, because a clock is wrong; and while a component has no sound recovery point, nothing of it goes. Each rule looks
/// at all recovery points of its component (and of its writer, see <see cref="RetentionCandidate.Writer"/>), so more rules never remove more, and deciding again on what was kept removes nothing.
/// </remarks>
public static class RetentionPlan
{
    /// <summary>Decides with one policy for all components.</summary>
    /// <inheritdoc cref="Decide(IEnumerable{RetentionCandidate}, Func{string, RetentionPolicy}, DateTimeOffset)"/>
    public static IReadOnlyList<RetentionDecision> Decide(
        IEnumerable<RetentionCandidate> candidates, RetentionPolicy policy, DateTimeOffset now) =>
        Decide(candidates, _ => policy, now);

    /// <summary>Decides with the policy of each component.</summary>
    /// <returns>One decision for each recovery point, oldest first; of the same time, by id.</returns>
    /// <exception cref="ArgumentException">Two have the same id, or a policy makes no sense.</exception>
    public static IReadOnlyList<RetentionDecision> Decide(
        IEnumerable<RetentionCandidate> candidates, Func<string, RetentionPolicy> policyOf, DateTimeOffset now)
    {
        var decisions = new List<RetentionDecision>();
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var component in candidates.GroupBy(c => (c.Component, c.Writer)))
        {
            foreach (var candidate in component)
                if (!ids.Add(candidate.Id))
                    throw new ArgumentException($"Recovery point {candidate.Id} is in the list twice.", nameof(candidates));
            var policy = policyOf(component.Key.Component);
            policy.Check();
            decisions.AddRange(DecideComponent(component, policy, now));
        }

        decisions.Sort((a, b) => OldestFirst(a.Candidate, b.Candidate));
        return decisions;
    }

    private static IEnumerable<RetentionDecision> DecideComponent(
        IEnumerable<RetentionCandidate> candidates, RetentionPolicy policy, DateTimeOffset now)
    {
        var all = candidates.ToList();
        all.Sort((a, b) => OldestFirst(b, a));
        var verdicts = all.ToDictionary(c => c, _ => new Verdict());
        foreach (var candidate in all)
        {
            if (candidate.Pinned) verdicts[candidate].Keep("pinned");
            if (candidate.Time > now) verdicts[candidate].Keep("taken in the future: a clock is wrong");
        }

        var past = all.FindAll(c => c.Time <= now);
        if (past.Find(c => !c.Damaged) is { } newest)
            verdicts[newest].Keep($"newest sound recovery point of {newest.Component}");
        else
            past.ForEach(c => verdicts[c].Keep($"there is no sound recovery point of {c.Component}"));

        if (policy.IsEmpty) all.ForEach(c => verdicts[c].Keep("no retention rule is set"));
        foreach (var rule in RetentionRule.Of(policy, now)) rule.Apply(past, verdicts);
        return all.Select(c => new RetentionDecision(c, verdicts[c].IsKept, verdicts[c].Reasons));
    }

    private static int OldestFirst(RetentionCandidate a, RetentionCandidate b) =>
        a.Time.UtcTicks != b.Time.UtcTicks ? a.Time.UtcTicks.CompareTo(b.Time.UtcTicks) : string.CompareOrdinal(a.Id, b.Id);
}
