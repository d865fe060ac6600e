using FsCheck;
using FsCheck.Fluent;
using FunctionsBackup.Repository.Anomalies;

namespace FunctionsBackup.Tests.Repository.Anomalies;

/// <summary>What is unusual, and what is not.</summary>
public sealed class AnomalyRulesTests
{
    private const long MiB = 1 << 20, GiB = 1 << 30;

    private static readonly AnomalyThresholds Thresholds = new();

    private static readonly Gen<BackupFigures> Small =
        from files in Gen.Choose(0, 99)
        from logical in Gen.Choose(1, 63 << 20)
        from fresh in Gen.Choose(0, 63 << 20)
        from stored in Gen.Choose(0, 63 << 20)
        select new BackupFigures(files, logical, Math.Min(fresh, logical), Math.Min(stored, fresh));

    private static readonly Gen<BackupFigures> Any =
        from files in Gen.Choose(0, 1_000_000)
        from logical in Gen.Choose(0, 2_000_000)
        from fresh in Gen.Choose(0, 100)
        from stored in Gen.Choose(0, 110)
        let bytes = logical * 100_000L
        let added = bytes * fresh / 100
        select new BackupFigures(files, bytes, added, added * stored / 100);

    public static TheoryData<Site> Sites => [.. Enum.GetValues<Site>()];

    /// <summary>What sites are like: how much there is, comes and goes, and how well it compresses.</summary>
    public enum Site
    {
        RawRecordings,
        CompressedRecordings,
        Database,
        Logs,
        WeeklyBulk,
    }

    [Theory]
    [MemberData(nameof(Sites))]
    public void Ordinary_growth_is_never_suspicious_in_thirty_days(Site site)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var days = Days(site, 40, new Random(seed));
            for (var day = 10; day < days.Count; day++)
            {
                var found = AnomalyRules.Judge(days[day], days[..day], Thresholds);
                found.ShouldBeEmpty($"{site}, seed {seed}, day {day}: {string.Join(" ", found.Select(f => f.Sentence))}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Sites))]
    public void Everything_encrypted_is_always_suspicious(Site site)
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var days = Days(site, 10 + seed % 30, new Random(seed));
            var last = days[^1];
            var found = AnomalyRules.Judge(last with { NewBytes = last.LogicalBytes, StoredBytes = last.LogicalBytes }, days, Thresholds);
            found.Select(f => f.Kind).ShouldContain(AnomalyKind.ChangedBytes, $"{site}, seed {seed}");
            found.Select(f => f.Kind).ShouldContain(AnomalyKind.Deduplication);
            if (site is not Site.CompressedRecordings) found.Select(f => f.Kind).ShouldContain(AnomalyKind.Compressibility);
        }
    }

    [Fact]
    public void A_fifth_of_odd_days_hides_nothing()
    {
        var days = Days(Site.RawRecordings, 30, new Random(1));
        for (var i = 0; i < 6; i++) days[i * 5] = new BackupFigures(50_000, 100 * GiB, 100 * GiB, 100 * GiB);
        var last = days[^1];
        AnomalyRules.Judge(last with { NewBytes = last.LogicalBytes, StoredBytes = last.LogicalBytes }, days, Thresholds).Count.ShouldBe(3);
    }

    [Fact]
    public void A_mass_deletion_a_shrunk_source_and_an_empty_one_are_named()
    {
        var day = new BackupFigures(10_000, 10 * GiB, 100 * MiB, 60 * MiB);
        Kinds(day with { Files = 6_000 }).ShouldBe([AnomalyKind.MassDeletion]);
        Kinds(day with { Files = 9_000 }).ShouldBeEmpty();
        Kinds(day with { LogicalBytes = 4 * GiB, NewBytes = 0, StoredBytes = 0 }).ShouldBe([AnomalyKind.Shrunk]);
        Kinds(day with { LogicalBytes = 8 * GiB }).ShouldBeEmpty();
        Kinds(new BackupFigures(0, 0, 0, 0)).ShouldBe([AnomalyKind.MassDeletion, AnomalyKind.Shrunk]);
        AnomalyRules.Judge(new BackupFigures(0, 0, 0, 0), [new(3, 500, 500, 500), new(3, 500, 0, 0)], Thresholds)
            .ShouldHaveSingleItem().Sentence.ShouldStartWith("The source is empty");

        AnomalyKind[] Kinds(BackupFigures current) => [.. AnomalyRules.Judge(current, [day, day, day], Thresholds).Select(f => f.Kind)];
    }

    [Fact]
    public void Where_old_files_are_cleared_away_in_bulk_that_is_usual()
    {
        var full = new BackupFigures(10_000, 10 * GiB, 100 * MiB, 60 * MiB);
        var cleared = new BackupFigures(5_000, 4 * GiB, 0, 0);
        var history = Enumerable.Range(0, 20).Select(i => i % 2 == 0 ? full : cleared).ToList();
        AnomalyRules.Judge(cleared, [.. history, full], Thresholds).ShouldBeEmpty();
    }

    [Fact]
    public void A_small_site_is_never_suspicious_while_it_is_not_empty() => Prop.ForAll(
        (from current in Small from history in Small.ListOf() select (current, history)).ToArbitrary(),
        x => AnomalyRules.Judge(x.current, [.. x.history], Thresholds).Count == 0).QuickCheckThrowOnFailure();

    [Fact]
    public void A_young_repository_knows_nothing_of_what_is_usual() => Prop.ForAll(
        (from current in Any from history in Any.ListOf(4) select (current, history)).ToArbitrary(),
        x => AnomalyRules.Judge(x.current, [.. x.history], Thresholds)
            .All(a => a.Kind is AnomalyKind.MassDeletion or AnomalyKind.Shrunk)).QuickCheckThrowOnFailure();

    [Fact]
    public void A_backup_in_which_nothing_changed_is_never_suspicious() => Prop.ForAll(
        Any.NonEmptyListOf().ToArbitrary(),
        history => history[^1].LogicalBytes == 0
            || AnomalyRules.Judge(history[^1] with { NewBytes = 0, StoredBytes = 0 }, [.. history], Thresholds).Count == 0).QuickCheckThrowOnFailure();

    [Fact]
    public void Milder_thresholds_never_find_more() => Prop.ForAll(
        (from current in Any from history in Any.ListOf(12) from more in Gen.Choose(0, 20) select (current, history, more)).ToArbitrary(),
        x =>
        {
            var milder = Thresholds with { Deviations = Thresholds.Deviations + x.more, MinimumBytes = Thresholds.MinimumBytes * (1 + x.more) };
            return AnomalyRules.Judge(x.current, [.. x.history], milder).Select(a => a.Kind)
                .All(AnomalyRules.Judge(x.current, [.. x.history], Thresholds).Select(a => a.Kind).Contains);
        }).QuickCheckThrowOnFailure();

    private static List<BackupFigures> Days(Site site, int count, Random random)
    {
        var days = new List<BackupFigures>();
        var (files, bytes) = (20_000L, 20.0 * GiB);
        for (var day = 0; day < count; day++)
        {
            var busy = day % 7 < 5 ? 1.0 : 0.3; // weekends
            var noise = Math.Exp((random.NextDouble() - 0.5) * 1.2);
            var (share, stored) = site switch
            {
                Site.RawRecordings => (0.04, 0.55),
                Site.CompressedRecordings => (0.04, 0.99),
                Site.Database => (0.02, 0.3),
                Site.Logs => (0.08, 0.1),
                _ => (day % 7 == 6 ? 0.15 : 0.02, 0.6),
            };
            var added = day == 0 ? bytes : bytes * share * busy * noise;
            if (day > 0)
            {
                files += (long)(files * share * busy * noise) - (site == Site.Logs ? (long)(files * 0.07) : 0);
                bytes += added - (site == Site.Logs ? bytes * 0.07 : site == Site.Database ? added * 0.9 : 0);
            }

            var ratio = Math.Min(1, stored * (0.9 + (random.NextDouble() * 0.2)));
            days.Add(new BackupFigures(files, (long)bytes, (long)added, (long)(added * ratio)));
        }

        return days;
    }
}
