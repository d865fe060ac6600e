using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Components.Files;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Components.Estimates;

public sealed class RestoreEstimatorTests : FilesTestBase
{
    private const int Many = 4100;

    private static readonly DateTimeOffset Day = new(2026, 11, 25, 0, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Without_measurements_the_careful_rates_stand()
    {
        var estimator = new RestoreEstimator([]);
        estimator.Factor.ShouldBe(1);
        estimator.Origin.ShouldContain("no restore has been measured");
        estimator.Files(1000, 150_000_000, 0).ShouldBe(TimeSpan.FromSeconds(1.25));
    }

    [Fact]
    public void Fast_restores_shorten_estimates_little_by_little_and_a_slow_one_lengthens_them_at_once()
    {
        var fast = Measured(0.5);
        var one = new RestoreEstimator([fast]).Factor;
        var five = new RestoreEstimator([fast, fast, fast, fast, fast]).Factor;
        one.ShouldBe(2.5 / 3, 0.001);
        five.ShouldBeInRange(0.5, one);
        new RestoreEstimator([fast, fast, fast, fast, Measured(4)]).Factor.ShouldBe(4, 0.001);
        new RestoreEstimator([Measured(4), fast, fast, fast, fast, fast]).Factor.ShouldBe(five, 0.001, "only the newest five count");
        new RestoreEstimator([Measured(4), fast]).Origin.ShouldContain("the last 2 restores measured on this machine, the newest 2026-11-25");
    }

    [Fact]
    public async Task Restores_are_noted_per_machine_and_few_are_kept()
    {
        var measurements = new RestoreMeasurements(Repository);
        for (var i = 0; i < 14; i++) await measurements.AddAsync(Measured(1 + i) with { At = Day.AddHours(i) }, CancellationToken.None);
        await measurements.AddAsync(Measured(50) with { Host = "elsewhere" }, CancellationToken.None);
        await measurements.AddAsync(Measured(1) with { Bytes = 1000 }, CancellationToken.None); // tells nothing
        (await measurements.ListAsync(Host, CancellationToken.None)).Select(m => Math.Round(m.Factor)).ShouldBe(Enumerable.Range(5, 10).Select(i => (double)i));
        (await measurements.ListAsync("elsewhere", CancellationToken.None)).Count.ShouldBe(1);
        (await RestoreEstimator.LoadAsync(Repository, CancellationToken.None)).Factor.ShouldBe(14, 0.001);
        var report = await new RepositoryVerifier(Repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();

        // A damaged one is named, and in nobody's way.
        var name = Store.Names.First(n => n.StartsWith("measurements/", StringComparison.Ordinal));
        Store.Flip(name, 70);
        (await RestoreEstimator.LoadAsync(Repository, CancellationToken.None)).Factor.ShouldBeGreaterThan(1);
        report = await new RepositoryVerifier(Repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldHaveSingleItem().ObjectName.ShouldBe(name);
    }

    [Fact]
    public async Task A_restore_notes_how_long_it_took_unless_it_only_filled_in_differences()
    {
        WriteMany();
        var snapshot = await BackUpAsync();
        await RestoreAsync(snapshot);
        await RestoreAsync(snapshot, o => o with { Delta = true });
        await RestoreAsync(snapshot, o => o with { Sync = false }, target: "unsynced");
        var measured = (await new RestoreMeasurements(Repository).ListAsync(Host, CancellationToken.None)).ShouldHaveSingleItem();
        measured.Files.ShouldBe(Many + 1);
        measured.Bytes.ShouldBe(Many, "and no holes");
        measured.Seconds.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task A_repository_that_cannot_be_written_to_does_not_fail_a_restore()
    {
        WriteMany();
        var snapshot = await BackUpAsync();
        Faults.Add(new Fault(StoreOperation.Create, FaultKind.FailBefore));
        (await RestoreAsync(snapshot)).Files.ShouldBe(Many + 1);
        (await new RestoreMeasurements(Repository).ListAsync(Host, CancellationToken.None)).ShouldBeEmpty();
    }

    /// <summary>Enough to be worth a note.</summary>
    private void WriteMany()
    {
        for (var i = 0; i < Many; i++) Tree.Write($"source/{i}", "x");
        using var sparse = File.OpenWrite(Tree.Write("source/holes", ""));
        sparse.SetLength(200_000_000);
    }

    private static string Host => Environment.MachineName;

    private static RestoreMeasurement Measured(double factor)
    {
        const long Files = 1000, Bytes = 1_500_000_000;
        return new RestoreMeasurement(Day, Host, Files, Bytes, RestoreRates.Files(Files, Bytes, 0).TotalSeconds * factor);
    }
}
