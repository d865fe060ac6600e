namespace FunctionsBackup.Operations.Scheduling;

/// <summary>What is due between two moments.</summary>
public static class DuePolicies
{
    /// <summary>
    /// The newest occurrence of each policy in (after, until]. Older ones are not made up for: a recovery point of now serves them all.
    /// Where a component has both a full backup and another one, the full one stands for both.
    /// </summary>
    public static IReadOnlyList<DuePolicy> Between(IEnumerable<PolicySchedule> policies, DateTimeOffset after, DateTimeOffset until)
    {
        var due = new List<DuePolicy>();
        foreach (var policy in policies)
            if (policy.Schedule.LatestBetween(after, until) is { } latest)
                due.Add(new DuePolicy(policy.Component, policy.Kind, latest));
        return [.. due.GroupBy(d => d.Component).Select(g => g.FirstOrDefault(d => d.Kind == "full_backup") ?? g.MaxBy(d => d.DueAt)!)];
    }
}
