using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Orchestrations.WalArchiving;

namespace FunctionsBackup.Tests.Orchestrations;

public sealed class OtherOrchestratorTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 25, 22, 0, 0, TimeSpan.Zero);

    [Fact]
    public async Task Replication_goes_to_all_replicas_and_one_that_fails_does_not_stop_the_others()
    {
        var context = new MockContext(new ReplicationRequest { Replicas = ["a", "b", "c"], Create = true })
            .Activity<ReplicateRequest, ReplicaResult>(nameof(ReplicateRepository), r => r.Replica == "b"
                ? Task.FromException<ReplicaResult>(MockContext.Failed(nameof(ReplicateRepository), "No store."))
                : Task.FromResult(new ReplicaResult { Replica = r.Replica, Outcome = RunOutcome.Complete, ExitCode = r.Create ? 0 : 3 }));
        var result = await ReplicationOrchestrator.Run(context.Object);
        result.Outcome.ShouldBe(RunOutcome.Partial);
        result.ExitCode.ShouldBe(1);
        result.Replicas.Select(r => (r.Replica, r.Outcome)).ShouldBe(
            [("a", RunOutcome.Complete), ("b", RunOutcome.Failed), ("c", RunOutcome.Complete)]);
        result.Replicas[1].Failure!.Sentence.ShouldBe("No store.");
    }

    [Fact]
    public async Task Verification_fans_out_and_damage_anywhere_is_the_exit_code()
    {
        var context = new MockContext(new VerificationRequest { Level = "quick", SnapshotIds = ["a", "b", "c"] })
            .Activity<VerifySnapshotsRequest, VerificationResult>(nameof(VerifySnapshots), r => new VerificationResult
            {
                Outcome = RunOutcome.Complete,
                Level = r.Level,
                Snapshots = 1,
                ExitCode = r.SnapshotIds[0] == "b" ? 5 : 0,
                DefectCount = r.SnapshotIds[0] == "b" ? 1 : 0,
                Defects = r.SnapshotIds[0] == "b" ? [new VerificationDefect("packs/x", "It is missing.", ["b"], "repair")] : [],
            });
        var result = await VerificationOrchestrator.Run(context.Object);
        result.ExitCode.ShouldBe(5);
        result.Snapshots.ShouldBe(3);
        result.Defects.ShouldHaveSingleItem().Snapshots.ShouldBe(["b"]);
        context.CountOf(nameof(VerifySnapshots)).ShouldBe(3);
    }

    [Fact]
    public async Task Verification_of_everything_is_one_activity_and_a_failure_is_told()
    {
        var context = new MockContext(new VerificationRequest { Level = "full" }).Activity<VerifySnapshotsRequest, VerificationResult>(
            nameof(VerifySnapshots), _ => Task.FromException<VerificationResult>(MockContext.Failed(nameof(VerifySnapshots), "No store.")));
        var result = await VerificationOrchestrator.Run(context.Object);
        result.Outcome.ShouldBe(RunOutcome.Failed);
        result.Failure!.Sentence.ShouldBe("No store.");
        context.CountOf(nameof(VerifySnapshots)).ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_verification_begins_no_further_snapshot()
    {
        MockContext context = null!;
        context = new MockContext(new VerificationRequest { Level = "quick", SnapshotIds = ["a", "b"], Parallel = 1 })
            .Activity<VerifySnapshotsRequest, VerificationResult>(nameof(VerifySnapshots), r =>
            {
                context.Cancel.SetResult("enough");
                return new VerificationResult { Outcome = RunOutcome.Complete, Level = r.Level };
            });
        var result = await VerificationOrchestrator.Run(context.Object);
        result.Outcome.ShouldBe(RunOutcome.Cancelled);
        result.ExitCode.ShouldBe(130);
        context.CountOf(nameof(VerifySnapshots)).ShouldBe(1);
    }

    [Fact]
    public async Task Retention_gives_what_its_activity_did()
    {
        var context = new MockContext(new RetentionRequest { DryRun = true }).Activity<ApplyRetentionRequest, RetentionResult>(
            nameof(ApplyRetention), r => new RetentionResult { Outcome = RunOutcome.Complete, DryRun = r.Request.DryRun, Removed = 3 });
        (await RetentionOrchestrator.Run(context.Object)).Removed.ShouldBe(3);
        context.Statuses[^1].ShouldBe(new RetentionStatus("ended"));
    }

    [Fact]
    public async Task A_restore_is_not_tried_again_by_itself_and_can_be_cancelled()
    {
        var gate = new TaskCompletionSource<RestoreResult>();
        var context = new MockContext(new RestoreRequest { Component = "logs", Target = "/srv/logs" })
            .Activity<RestoreWork, RestoreResult>(nameof(RestoreComponent), _ => gate.Task);
        var run = RestoreOrchestrator.Run(context.Object);
        context.Calls.Single().Options!.Retry.ShouldBeNull();
        context.Cancel.SetResult("enough");
        context.Statuses[^1].ShouldBeOfType<RestoreStatus>().Phase.ShouldBe("cancelling");
        gate.SetResult(RestoreComponent.Failed(new Failure(FailureKind.Interrupted, "Interrupted.")));
        (await run).Outcome.ShouldBe(RunOutcome.Cancelled);
    }

    [Fact]
    public async Task Restore_tests_go_through_what_was_picked_and_one_that_fails_is_damage()
    {
        var context = new MockContext(new RestoreTestRequest { Components = ["logs"] })
            .Activity<RestoreTestRequest, PickedTests>(nameof(PickRestoreTests), _ => new PickedTests(["one", "two"], null))
            .Activity<TestRestoreRequest, SnapshotTestResult>(
                nameof(TestRestore), r => new SnapshotTestResult { SnapshotId = r.SnapshotId, Component = "logs", Passed = r.SnapshotId == "one" });
        var result = await RestoreTestingOrchestrator.Run(context.Object);
        result.ExitCode.ShouldBe(5);
        result.Tests.Select(t => t.Passed).ShouldBe([true, false]);
    }

    [Fact]
    public async Task Archiving_goes_on_with_a_new_history_after_each_pass()
    {
        var context = new MockContext(new WalArchivingRequest { PassSeconds = 30 }, "wal-postgres").Activity<ArchiveWalRequest, WalArchivingStatus>(
            nameof(ArchiveWal), _ => new WalArchivingStatus { At = At, ActualRpoSeconds = 1.5, LagBytes = 10 });
        await WalArchivingOrchestrator.Run(context.Object);
        var next = context.ContinuedWith.ShouldBeOfType<WalArchivingRequest>();
        next.PassSeconds.ShouldBe(30);
        next.Last!.ActualRpoSeconds.ShouldBe(1.5);
        context.Timers.ShouldBeEmpty();
    }

    [Fact]
    public async Task After_failures_archiving_waits_longer_and_longer()
    {
        var context = new MockContext(new WalArchivingRequest { Failures = 2 }, "wal-postgres").Activity<ArchiveWalRequest, WalArchivingStatus>(
            nameof(ArchiveWal), r => new WalArchivingStatus { Failures = r.Request.Failures + 1, Problem = new Failure(FailureKind.Failed, "Gone.") });
        await WalArchivingOrchestrator.Run(context.Object);
        context.Timers.ShouldBe([TimeSpan.FromSeconds(20)]);
        context.ContinuedWith.ShouldBeOfType<WalArchivingRequest>().Failures.ShouldBe(3);
        WalArchivingOrchestrator.Backoff(1, 300).ShouldBe(TimeSpan.FromSeconds(5));
        WalArchivingOrchestrator.Backoff(1000, 300).ShouldBe(TimeSpan.FromSeconds(300));
    }

    [Fact]
    public async Task Cancelled_archiving_ends()
    {
        var context = new MockContext(new WalArchivingRequest(), "wal-postgres")
            .Activity<ArchiveWalRequest, WalArchivingStatus>(nameof(ArchiveWal), _ => new WalArchivingStatus());
        context.Cancel.SetResult("enough");
        (await WalArchivingOrchestrator.Run(context.Object)).ShouldNotBeNull();
        context.ContinuedWith.ShouldBeNull();
    }
}
