using FsCheck;
using FsCheck.Fluent;
using FunctionsBackup.Repository.Retention;

namespace FunctionsBackup.Tests.Repository.Retention;

/// <summary>What holds for every list of recovery points and every policy.</summary>
public sealed class RetentionPropertyTests
{
    private static readonly DateTimeOffset Now = new(2026, 3, 30, 1, 30, 0, TimeSpan.Zero); // a day after Berlin's clocks went forward

    private static readonly TimeZoneInfo[] Zones =
    [
        .. new[] { "UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo" }
            .Select(TimeZoneInfo.FindSystemTimeZoneById),
    ];

    private static readonly Gen<RetentionCandidate> Candidate =
        from component in Gen.Elements("postgres", "redis")
        from kind in Gen.Elements("full", "incremental")
        from hours in Gen.Frequency((8, Gen.Choose(0, 24 * 30)), (3, Gen.Choose(0, 24 * 1500)), (1, Gen.Choose(-48, -1)))
        from minutes in Gen.Elements(0, 0, 29, 30, 31)
        from pinned in Gen.Frequency((9, Gen.Constant(false)), (1, Gen.Constant(true)))
        from damaged in Gen.Frequency((6, Gen.Constant(false)), (1, Gen.Constant(true)))
        select new RetentionCandidate("", component, kind, Now.AddMinutes(minutes).AddHours(-hours), pinned, damaged);

    private static readonly Gen<RetentionCandidate[]> Candidates =
        from list in Candidate.ListOf()
        from ids in Gen.Shuffle(Enumerable.Range(0, list.Count))
        select list.Select((c, i) => c with { Id = $"{ids[i]:000}" }).ToArray();

    private static readonly Gen<int> Count = Gen.Frequency((2, Gen.Constant(0)), (3, Gen.Choose(1, 8)));

    private static readonly Gen<RetentionPolicy> Policy =
        from counts in Count.ArrayOf(7)
        from days in Gen.Frequency((2, Gen.Constant(-1)), (1, Gen.Choose(0, 60)))
        from zone in Gen.Elements(Zones)
        select new RetentionPolicy
        {
            Last = counts[0],
            FullBackups = counts[1],
            Hourly = counts[2],
            Daily = counts[3],
            Weekly = counts[4],
            Monthly = counts[5],
            Yearly = counts[6],
            Within = days < 0 ? null : TimeSpan.FromDays(days),
            TimeZone = zone,
        };

    [Fact]
    public void Adding_rules_never_removes_more() => ForAll((all, policy, more) =>
    {
        if (policy.IsEmpty) return true; // no rule at all keeps everything
        var both = policy with
        {
            Last = Math.Max(policy.Last, more.Last),
            FullBackups = Math.Max(policy.FullBackups, more.FullBackups),
            Hourly = Math.Max(policy.Hourly, more.Hourly),
            Daily = Math.Max(policy.Daily, more.Daily),
            Weekly = Math.Max(policy.Weekly, more.Weekly),
            Monthly = Math.Max(policy.Monthly, more.Monthly),
            Yearly = Math.Max(policy.Yearly, more.Yearly),
            Within = policy.Within is { } a && more.Within is { } b ? (a > b ? a : b) : policy.Within ?? more.Within,
        };
        return Kept(all, policy).IsSubsetOf(Kept(all, both));
    });

    [Fact]
    public void The_newest_sound_one_of_each_component_stays() => ForAll((all, policy, _) =>
    {
        var kept = Kept(all, policy);
        return all.Where(c => !c.Damaged && c.Time <= Now).GroupBy(c => c.Component)
            .All(g => kept.Contains(g.OrderBy(c => c.Time).ThenBy(c => c.Id, StringComparer.Ordinal).Last().Id));
    });

    [Fact]
    public void Pinned_and_future_ones_stay() => ForAll((all, policy, _) =>
        Kept(all, policy).IsSupersetOf(all.Where(c => c.Pinned || c.Time > Now).Select(c => c.Id)));

    [Fact]
    public void An_empty_policy_keeps_all() => ForAll((all, _, _) => Kept(all, new RetentionPolicy()).Count == all.Length);

    [Fact]
    public void Deciding_again_removes_nothing() => ForAll((all, policy, _) =>
    {
        var kept = Kept(all, policy);
        return Kept([.. all.Where(c => kept.Contains(c.Id))], policy).SetEquals(kept);
    });

    [Fact]
    public void The_order_of_the_input_does_not_matter() => ForAll((all, policy, _) =>
    {
        var expected = Describe(RetentionPlan.Decide(all, policy, Now));
        return Describe(RetentionPlan.Decide(all.Reverse(), policy, Now)) == expected
            && Describe(RetentionPlan.Decide(all.OrderBy(c => c.Id, StringComparer.Ordinal), policy, Now)) == expected;
    });

    [Fact]
    public void Components_do_not_influence_each_other() => ForAll((all, policy, _) =>
    {
        var together = Kept(all, policy);
        return all.GroupBy(c => c.Component).All(g => Kept([.. g], policy).SetEquals(together.Where(id => g.Any(c => c.Id == id))));
    });

    [Fact]
    public void No_more_are_kept_than_the_rules_have_places() => ForAll((all, policy, _) =>
    {
        var simple = policy with { FullBackups = 0, Within = null };
        var places = simple.Last + simple.Hourly + simple.Daily + simple.Weekly + simple.Monthly + simple.Yearly;
        if (places == 0) return true;
        var sound = all.Select(c => c with { Pinned = false, Damaged = false }).Where(c => c.Time <= Now).ToArray();
        return sound.GroupBy(c => c.Component).All(g =>
            Kept([.. g], simple).Count <= places
            && Kept([.. g], new RetentionPolicy { Last = places }).Count == Math.Min(places, g.Count()));
    });

    [Fact]
    public void Every_decision_has_a_reason_and_every_recovery_point_a_decision() => ForAll((all, policy, _) =>
    {
        var decisions = RetentionPlan.Decide(all, policy, Now);
        return decisions.Count == all.Length
            && decisions.All(d => d.Reasons.Count > 0 && d.Reasons.All(r => r.Length > 0))
            && decisions.Select(d => d.Candidate.Time).SequenceEqual(decisions.Select(d => d.Candidate.Time).Order());
    });

    [Fact]
    public void As_time_goes_by_a_decision_to_remove_holds() => ForAll((all, policy, _) =>
    {
        // Nothing new comes: what goes now would go later too. (Not so for what is in the future now.)
        var past = all.Where(c => c.Time <= Now).ToArray();
        var later = RetentionPlan.Decide(past, policy, Now.AddDays(40)).Where(d => d.Keep).Select(d => d.Candidate.Id);
        return Kept(past, policy).IsSupersetOf(later);
    });

    private static HashSet<string> Kept(RetentionCandidate[] all, RetentionPolicy policy) =>
        [.. RetentionPlan.Decide(all, policy, Now).Where(d => d.Keep).Select(d => d.Candidate.Id)];

    private static string Describe(IEnumerable<RetentionDecision> decisions) =>
        string.Join('\n', decisions.Select(d => $"{d.Candidate.Id} {d.Keep} {string.Join("; ", d.Reasons)}"));

    private static void ForAll(Func<RetentionCandidate[], RetentionPolicy, RetentionPolicy, bool> property) =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(500),
            Prop.ForAll(Candidates.ToArbitrary(), Policy.ToArbitrary(), Policy.ToArbitrary(), property));
}
