using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Verification;

namespace FunctionsBackup.Tests.Orchestrations.Backup;

public sealed class BackupOrchestratorTests
{
    private static readonly string[] All = ["postgres", "voice_data", "logs"];

    private readonly MockContext _context;
    private readonly Dictionary<string, Func<UnitRequest, Task<UnitResult>>> _units = [];
    private CommitRequest? _committed;

    public BackupOrchestratorTests() : this(new BackupRequest { Components = All })
    {
    }

    private BackupOrchestratorTests(BackupRequest request)
    {
        _context = new MockContext(request)
            .Activity<ClaimRequest, ClaimResult>(nameof(ClaimBackup), c => new ClaimResult(c.Components, new Dictionary<string, string>()))
            .Activity<PlanRequest, BackupPlan>(nameof(PlanBackup), Plan)
            .Activity<UnitRequest, UnitResult>(nameof(StoreFilesUnit), Store)
            .Activity<UnitRequest, UnitResult>(nameof(StorePostgresUnit), Store)
            .Activity<CommitRequest, CommitResult>(nameof(CommitBackup), Commit)
            .Activity<AbandonRequest, bool>(nameof(AbandonBackup), _ => true)
            .Activity<BackupReport, FollowUps>(nameof(ReportBackup), r => new FollowUps(r.Retention ? "retention-all-20261125T0000Z" : null, null))
            .SubOrchestrator<VerificationRequest, VerificationResult>(
                nameof(VerificationOrchestrator),
                r => Task.FromResult(new VerificationResult { Outcome = RunOutcome.Complete, Level = r.Level, Snapshots = r.SnapshotIds.Count }));
    }

    [Fact]
    public async Task Units_are_stored_committed_once_and_verified()
    {
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Complete);
        result.ExitCode.ShouldBe(0);
        result.RecoveryPointId.ShouldBe("20261125T221530Z-5ca60a03");
        _context.CountOf(nameof(StorePostgresUnit)).ShouldBe(1);
        _context.CountOf(nameof(StoreFilesUnit)).ShouldBe(6);
        _context.CountOf(nameof(CommitBackup)).ShouldBe(1);
        _committed!.Components.Select(c => c.Units.Count).ShouldBe([1, 3, 3]);
        result.Verification!.Snapshots.ShouldBe(3);
        var last = _context.Statuses[^1].ShouldBeOfType<BackupStatus>();
        last.Phase.ShouldBe(BackupPhase.Ended);
        last.UnitsDone.ShouldBe(7);
        last.Components.ShouldAllBe(c => c.State == ComponentState.Committed);
        _context.Calls.Where(c => c.Options is not null && c.Name != nameof(VerificationOrchestrator))
            .ShouldAllBe(c => c.Options!.Retry!.Policy!.MaxNumberOfAttempts == 4);
    }

    [Fact]
    public async Task No_more_units_run_at_once_than_the_plan_allows()
    {
        var (running, most) = (0, 0);
        var gates = new Queue<TaskCompletionSource<UnitResult>>();
        _units[""] = request =>
        {
            most = Math.Max(most, ++running);
            var gate = new TaskCompletionSource<UnitResult>(request.Unit);
            gates.Enqueue(gate);
            return gate.Task;
        };
        var run = BackupOrchestrator.Run(_context.Object);
        while (gates.TryDequeue(out var gate))
        {
            running--;
            gate.SetResult(new UnitResult { Unit = (string)gate.Task.AsyncState! });
        }

        (await run).Outcome.ShouldBe(RunOutcome.Complete);
        most.ShouldBe(2);
    }

    [Fact]
    public async Task A_component_that_fails_does_not_stop_the_others()
    {
        _units["postgres.0001"] = _ => Task.FromResult(
            new UnitResult { Unit = "postgres.0001", Failure = new Failure(FailureKind.Configuration, "The password is wrong.") });
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Partial);
        result.ExitCode.ShouldBe(2);
        result.RecoveryPointId.ShouldNotBeNull();
        result.Components.Single(c => c.Component == "postgres").Failure!.Sentence.ShouldBe("The password is wrong.");
        _committed!.Components.Single(c => c.Component == "postgres").Failure.ShouldNotBeNull();
        result.Components.Count(c => c.Outcome == RunOutcome.Complete).ShouldBe(2);
    }

    [Fact]
    public async Task What_fails_after_all_retries_is_told_in_its_own_words()
    {
        _units["voice_data.0002"] = _ => Task.FromException<UnitResult>(MockContext.Failed(nameof(StoreFilesUnit), "The network is down."));
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Partial);
        result.ExitCode.ShouldBe(1);
        result.Components.Single(c => c.Component == "voice_data").Failure!.Sentence.ShouldBe("The network is down.");
    }

    [Fact]
    public async Task When_all_fail_nothing_is_committed_and_nothing_is_left()
    {
        _units[""] = request => Task.FromResult(new UnitResult { Unit = request.Unit, Failure = new Failure(FailureKind.Failed, "No.") });
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Failed);
        result.ExitCode.ShouldBe(1);
        result.RecoveryPointId.ShouldBeNull();
        _context.CountOf(nameof(CommitBackup)).ShouldBe(0);
        _context.CountOf(nameof(AbandonBackup)).ShouldBe(1);
    }

    [Fact]
    public async Task Cancelled_it_begins_nothing_new_and_leaves_nothing()
    {
        var first = new TaskCompletionSource<UnitResult>();
        _units["postgres.0001"] = _ => first.Task;
        _units["voice_data.0001"] = _ =>
        {
            _context.Cancel.SetResult("enough");
            return Task.FromResult(new UnitResult { Unit = "voice_data.0001" });
        };
        var run = BackupOrchestrator.Run(_context.Object);
        run.IsCompleted.ShouldBeFalse();
        _context.Statuses[^1].ShouldBeOfType<BackupStatus>().Phase.ShouldBe(BackupPhase.Cancelling); // which the activity sees
        first.SetResult(new UnitResult { Unit = "postgres.0001", Failure = new Failure(FailureKind.Interrupted, "Interrupted.") });
        var result = await run;
        result.Outcome.ShouldBe(RunOutcome.Cancelled);
        result.ExitCode.ShouldBe(130);
        _context.CountOf(nameof(StoreFilesUnit)).ShouldBe(1);
        _context.CountOf(nameof(CommitBackup)).ShouldBe(0);
        _context.CountOf(nameof(AbandonBackup)).ShouldBe(1);
    }

    [Fact]
    public async Task Components_that_others_work_on_are_left_to_them()
    {
        _context.Activity<ClaimRequest, ClaimResult>(
            nameof(ClaimBackup), _ => new ClaimResult(["logs"], new Dictionary<string, string> { ["postgres"] = "backup-x", ["voice_data"] = "backup-x" }));
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Complete);
        result.Components.Single(c => c.Component == "postgres").SupersededBy.ShouldBe("backup-x");
        _committed!.Components.Select(c => c.Component).ShouldBe(["logs"]);
    }

    [Fact]
    public async Task When_another_does_all_of_it_this_one_is_superseded()
    {
        _context.Activity<ClaimRequest, ClaimResult>(nameof(ClaimBackup), c => new ClaimResult([], c.Components.ToDictionary(n => n, _ => "backup-x")));
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Superseded);
        result.SupersededBy.ShouldBe("backup-x");
        _context.Calls.Select(c => c.Name).ShouldBe([nameof(ClaimBackup)]);
    }

    [Fact]
    public async Task Damage_that_verification_finds_is_the_exit_code()
    {
        _context.SubOrchestrator<VerificationRequest, VerificationResult>(
            nameof(VerificationOrchestrator),
            r => Task.FromResult(new VerificationResult { Outcome = RunOutcome.Complete, Level = r.Level, ExitCode = 5, DefectCount = 1 }));
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Complete);
        result.ExitCode.ShouldBe(5);
    }

    [Fact]
    public async Task Heartbeats_show_in_the_status()
    {
        var gate = new TaskCompletionSource<UnitResult>();
        _units["postgres.0001"] = _ => gate.Task;
        var run = BackupOrchestrator.Run(_context.Object);
        var at = new DateTimeOffset(_context.Now) + TimeSpan.FromMinutes(1);
        _context.Beat(new Heartbeat("postgres", "postgres.0001", at, 5, 1000, 4000));
        var status = _context.Statuses[^1].ShouldBeOfType<BackupStatus>();
        status.LastHeartbeat.ShouldBe(at);
        status.Components.Single(c => c.Component == "postgres").BytesDone.ShouldBe(1000);
        status.Components.Single(c => c.Component == "postgres").BytesTotal.ShouldBe(4000);
        gate.SetResult(new UnitResult { Unit = "postgres.0001", LogicalBytes = 4000 });
        (await run).Outcome.ShouldBe(RunOutcome.Complete);
    }

    [Fact]
    public async Task A_plan_that_fails_names_each_component()
    {
        _context.Activity<PlanRequest, BackupPlan>(nameof(PlanBackup), _ => Task.FromException<BackupPlan>(MockContext.Failed("PlanBackup", "No store.")));
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Failed);
        result.Components.ShouldAllBe(c => c.Failure!.Sentence == "No store.");
    }

    [Fact]
    public async Task Retention_starts_when_asked_for_and_a_report_that_fails_is_a_warning()
    {
        var scheduled = new BackupOrchestratorTests(new BackupRequest { Components = All, Retention = true });
        (await BackupOrchestrator.Run(scheduled._context.Object)).RetentionInstance.ShouldBe("retention-all-20261125T0000Z");
        _context.Activity<BackupReport, FollowUps>(nameof(ReportBackup), _ => Task.FromException<FollowUps>(MockContext.Failed("ReportBackup", "No.")));
        var result = await BackupOrchestrator.Run(_context.Object);
        result.Outcome.ShouldBe(RunOutcome.Complete);
        result.ExitCode.ShouldBe(3);
    }

    private static BackupPlan Plan(PlanRequest request) => new()
    {
        UnitsInFlight = 2,
        Components =
        [
            .. request.Components.Select(c => new ComponentPlan
            {
                Component = c,
                Units = c == "postgres" ? [new UnitPlan("postgres.0001", 0, 0)] : [.. Enumerable.Range(1, 3).Select(i => new UnitPlan($"{c}.{i:0000}", 100, 1))],
            }),
        ],
    };

    private Task<UnitResult> Store(UnitRequest request) =>
        (_units.GetValueOrDefault(request.Unit) ?? _units.GetValueOrDefault("") ?? (_ => Task.FromResult(new UnitResult { Unit = request.Unit })))(request);

    private CommitResult Commit(CommitRequest request)
    {
        _committed = request;
        return new CommitResult(
            request.RunId,
            [
                .. request.Components.Select(c => new ComponentResult
                {
                    Component = c.Component,
                    Outcome = c.Failure is null ? RunOutcome.Complete : RunOutcome.Failed,
                    SnapshotId = c.Failure is null ? $"20261125T221530Z-{c.Component}-00000000" : null,
                    Failure = c.Failure,
                }),
            ]);
    }
}
