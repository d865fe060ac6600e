using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.Tests.Servers;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>A backup of several components is cancelled, suspended or terminated when some of its units are stored and others are not.</summary>
public sealed class SteeringTests
{
    private const string Id = "backup-all-20261125T221530Z-0001";
    private static readonly string[] Trees = ["voice_data", "logs"];

    [Fact]
    public async Task Cancelled_in_the_middle_it_breaks_off_what_runs_and_leaves_nothing()
    {
        await using var gate = new TcpGate(1); // a database that never answers
        await using var test = await TestSite.CreateAsync(gate.PostgresConnection);
        var units = new HeldUnits(through: 2, inFlight: 1);
        await using var engine = await TestEngine.StartAsync(test, before: units.BeforeAsync);
        await BeginAsync(engine, ["postgres", .. Trees]);
        await Task.WhenAll(units.Middle, gate.Arrived.WaitAsync(TimeSpan.FromMinutes(3)));

        await Instance.CancelAsync(engine.Client, Id, "enough", CancellationToken.None);
        units.Release(); // what runs ends after it, and nothing more begins
        var result = await engine.ResultOfAsync<BackupResult>(Id);
        result.Outcome.ShouldBe(RunOutcome.Cancelled);
        result.ExitCode.ShouldBe(130);
        result.Components.ShouldAllBe(c => c.Outcome == RunOutcome.Cancelled && c.SnapshotId == null);
        units.Begun.Count.ShouldBe(3);
        (await PartsAsync(test)).ShouldBeEmpty();
        await NextBackupIsWholeAsync(test, engine, units);
    }

    [Fact]
    public async Task Suspended_in_the_middle_it_begins_nothing_and_resumed_it_does_what_was_not_done()
    {
        await using var test = await TestSite.CreateAsync();
        var units = new HeldUnits(through: 3, inFlight: 2);
        await using var engine = await TestEngine.StartAsync(test, before: units.BeforeAsync);
        await BeginAsync(engine, Trees);
        await units.Middle;

        await engine.Client.SuspendInstanceAsync(Id, "a moment");
        units.Release();
        var history = await HistoryUntilAsync(engine, h => h.Count(r => r.Kind == HistoryEventKind.TaskCompleted) == 2 + 5); // with claim and plan
        history.Last(r => r.Kind is HistoryEventKind.TaskScheduled or HistoryEventKind.ExecutionSuspended).Kind
            .ShouldBe(HistoryEventKind.ExecutionSuspended);
        (await engine.Client.GetInstanceAsync(Id))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Suspended);
        units.Begun.Count.ShouldBe(5);
        (await SnapshotsAsync(test)).ShouldBeEmpty();

        await engine.Client.ResumeInstanceAsync(Id, "go on");
        await CompletesAsync(test, engine, units);
        units.Begun.ShouldBeUnique();
    }

    [Fact]
    public async Task Suspended_over_a_restart_of_the_host_it_does_only_what_was_not_done()
    {
        await using var test = await TestSite.CreateAsync();
        var before = new HeldUnits(through: 3, inFlight: 2);
        await using (var engine = await TestEngine.StartAsync(test, before: before.BeforeAsync))
        {
            await BeginAsync(engine, Trees);
            await before.Middle;
            await engine.Client.SuspendInstanceAsync(Id, "a moment");
            await HistoryUntilAsync(engine, h => h.Any(r => r.Kind == HistoryEventKind.ExecutionSuspended));
        }

        var after = new HeldUnits(through: int.MaxValue, inFlight: 0);
        await using var next = await TestEngine.StartAsync(test, before: after.BeforeAsync);
        await next.Client.ResumeInstanceAsync(Id, "go on");
        await CompletesAsync(test, next, after);
        after.Begun.ShouldBeUnique();
        after.Begun.ShouldNotContain(u => before.Begun.Take(3).Contains(u));
        after.Begun.ShouldContain(before.Begun[4]); // it was broken off with the host
    }

    [Fact]
    public async Task Terminated_in_the_middle_it_shows_nothing_and_what_it_left_is_collected()
    {
        await using var test = await TestSite.CreateAsync();
        var units = new HeldUnits(through: 3, inFlight: 2);
        await using var engine = await TestEngine.StartAsync(test, before: units.BeforeAsync);
        await BeginAsync(engine, Trees);
        await units.Middle;

        await engine.Client.TerminateInstanceAsync(Id, "at once");
        (await engine.EndOfAsync(Id)).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Terminated);
        units.Release();
        var left = await PartsAsync(test);
        left.Count.ShouldBe(1 + 3); // the plan, and the units that were done
        await NextBackupIsWholeAsync(test, engine, units);

        // It might have been taken up again, had it been suspended: for a week its parts stay.
        await engine.RunAsync<RetentionResult>(nameof(RetentionOrchestrator), new RetentionRequest(), "retention-1");
        (await PartsAsync(test)).ShouldBe(left);
        foreach (var name in left) File.SetLastWriteTimeUtc(Path.Join(test.RepositoryFolder, name), DateTime.UnixEpoch.AddYears(50));
        await engine.RunAsync<RetentionResult>(nameof(RetentionOrchestrator), new RetentionRequest(), "retention-2");
        (await PartsAsync(test)).ShouldBeEmpty();
        await VerifiesAsync(test);
    }

    private static Task<string> BeginAsync(TestEngine engine, IReadOnlyList<string> components) =>
        engine.Client.ScheduleNewOrchestrationInstanceAsync(
            nameof(BackupOrchestrator), new BackupRequest { Components = components }, new StartOrchestrationOptions(Id));

    /// <summary>The instance ends with both trees, each of whose units was stored.</summary>
    private static async Task CompletesAsync(TestSite test, TestEngine engine, HeldUnits units)
    {
        var result = await engine.ResultOfAsync<BackupResult>(Id);
        result.Outcome.ShouldBe(RunOutcome.Complete, string.Join("; ", result.Components.Select(c => c.Failure?.Sentence)));
        result.Components.ShouldAllBe(c => c.Files == 60);
        units.Begun.Count.ShouldBeLessThanOrEqualTo(result.Components.Sum(c => c.Units));
        (await SnapshotsAsync(test)).ShouldBe(Trees, ignoreOrder: true);
        (await PartsAsync(test)).ShouldBeEmpty();
        await VerifiesAsync(test);
    }

    /// <summary>Nothing is visible of the backup before, the next one begins at once and is whole, and it reuses what was stored.</summary>
    private static async Task NextBackupIsWholeAsync(TestSite test, TestEngine engine, HeldUnits units)
    {
        (await SnapshotsAsync(test)).ShouldBeEmpty();
        await VerifiesAsync(test);
        var began = units.Begun.Count;
        var result = await engine.RunAsync<BackupResult>(nameof(BackupOrchestrator), new BackupRequest { Components = Trees, Verify = "full" }, "backup-2");
        result.Outcome.ShouldBe(RunOutcome.Complete, string.Join("; ", result.Components.Select(c => c.Failure?.Sentence)));
        result.Verification!.ExitCode.ShouldBe(0);
        units.Begun.Count.ShouldBe(began + result.Components.Sum(c => c.Units));
        result.Components.Sum(c => c.NewBytes).ShouldBeLessThan(result.Components.Sum(c => c.LogicalBytes));
        (await SnapshotsAsync(test)).ShouldBe(Trees, ignoreOrder: true);
    }

    private static async Task<IReadOnlyList<HistoryEventRow>> HistoryUntilAsync(TestEngine engine, Func<IReadOnlyList<HistoryEventRow>, bool> found)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (true)
        {
            var history = await engine.Engine.GetHistoryAsync(Id);
            if (found(history)) return history;
            await Task.Delay(20, patience.Token);
        }
    }

    private static async Task<IReadOnlyList<string>> SnapshotsAsync(TestSite test)
    {
        await using var repository = await test.OpenRepositoryAsync();
        return await repository.ListSnapshotsAsync(null, CancellationToken.None).Select(s => s.Component).ToListAsync();
    }

    private static async Task<IReadOnlyList<string>> PartsAsync(TestSite test)
    {
        await using var repository = await test.OpenRepositoryAsync();
        return await repository.Store.ListAsync("parts/", CancellationToken.None).Select(i => i.Name).ToListAsync();
    }

    private static async Task VerifiesAsync(TestSite test)
    {
        await using var repository = await test.OpenRepositoryAsync();
        var report = await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
    }
}
