using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Orchestrations.WalArchiving;

namespace FunctionsBackup.Tests.Parity.Scenarios.Workflows;

/// <summary>Our own orchestrators beside <see cref="BackupScenarios"/>, with activities that answer what the scenario says.</summary>
internal static class WorkflowScenarios
{
    private static RestoreRequest Restore { get; } = new() { Component = "logs", Target = "/srv/back", Include = ["*.log"] };

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("workflow: a verification of three recovery points, one of them damaged", async s =>
        {
            var steps = Verifications(s);
            await PlayAsync(s, steps, "VerificationOrchestrator", "verify-1", new VerificationRequest { Level = "full", SnapshotIds = ["one", "bad", "three"] });
        }),
        new("workflow: a verification of everything is one step", async s =>
        {
            var steps = Verifications(s);
            await PlayAsync(s, steps, "VerificationOrchestrator", "verify-1", new VerificationRequest());
        }),
        new("workflow: a cancelled verification begins no further recovery point", async s =>
        {
            var steps = Verifications(s, cancelAt: "two");
            await PlayAsync(
                s, steps, "VerificationOrchestrator", "verify-1",
                new VerificationRequest { Level = "quick", SnapshotIds = ["one", "two", "three"], Parallel = 1 });
        }),
        new("workflow: a verification by restores hands them to restore tests", async s =>
        {
            var steps = Verifications(s);
            RestoreTests(s, steps);
            await PlayAsync(s, steps, "VerificationOrchestrator", "verify-1", new VerificationRequest { Level = "restore", SnapshotIds = ["one", "bad"] });
        }),
        new("workflow: restore tests without anything to test", async s =>
        {
            var steps = new Steps();
            RestoreTests(s, steps, new PickedTests([], new Failure(FailureKind.NotFound, "There is no recovery point.")));
            await PlayAsync(s, steps, "RestoreTestingOrchestrator", "restoretest-1", new RestoreTestRequest { Components = ["logs"] });
        }),
        new("workflow: retention", async s =>
        {
            var steps = new Steps();
            s.Orchestrator("RetentionOrchestrator", c => RetentionOrchestrator.Run(steps.Watch<RetentionRequest>(c)));
            s.Activity("ApplyRetention", (ApplyRetentionRequest r) => new RetentionResult
            {
                Outcome = RunOutcome.Complete, DryRun = r.Request.DryRun, Kept = 3, Removed = 2, RemovedIds = ["one", "two"], FreedBytes = 12_345,
            });
            await PlayAsync(s, steps, "RetentionOrchestrator", "retention-1", new RetentionRequest { GraceHours = 48, RequestedBy = "schedule" });
        }),
        new("workflow: a restore tells how far it is", async s =>
        {
            var steps = Restores(s, async () =>
            {
                var client = await s.ClientAsync();
                var beat = new Heartbeat("logs", "restore", new DateTimeOffset(2026, 11, 25, 22, 0, 0, TimeSpan.Zero), 7, 1000, 5000);
                await client.RaiseEventAsync("restore-1", InstanceEvents.Heartbeat, beat);
                await s.Until("restore-1", m => m?.SerializedCustomStatus?.Contains("5000", StringComparison.Ordinal) == true);
                return new RestoreResult { Outcome = RunOutcome.Complete, Files = 7, Bytes = 5000, WrittenBytes = 5000, Seconds = 1.5 };
            });
            await PlayAsync(s, steps, "RestoreOrchestrator", "restore-1", Restore);
        }),
        new("workflow: a cancelled restore waits for what is broken off", async s =>
        {
            var steps = Restores(s, async () =>
            {
                await (await s.ClientAsync()).RaiseEventAsync("restore-1", InstanceEvents.Cancel, "enough");
                await s.Until("restore-1", m => m?.SerializedCustomStatus?.Contains("cancelling", StringComparison.Ordinal) == true);
                return new RestoreResult
                {
                    Outcome = RunOutcome.Cancelled, ExitCode = 130, Failure = new Failure(FailureKind.Interrupted, "It was interrupted."),
                };
            });
            await PlayAsync(s, steps, "RestoreOrchestrator", "restore-1", Restore);
        }),
        new("workflow: a restore that fails is not tried again", async s =>
        {
            var steps = Restores(s, () => throw new IOException("The disk is full."));
            await PlayAsync(s, steps, "RestoreOrchestrator", "restore-1", Restore);
        }),
        new("workflow: archiving goes on in rounds, waits after a failure, and ends when it is cancelled", async s =>
        {
            var steps = new Steps();
            s.Orchestrator("WalArchivingOrchestrator", c => WalArchivingOrchestrator.Run(steps.Watch<WalArchivingRequest>(c)));
            s.Activity("ArchiveWal", async (ArchiveWalRequest r) =>
            {
                var pass = s.Count("pass");
                if (pass == 3) await (await s.ClientAsync()).RaiseEventAsync(r.InstanceId, InstanceEvents.Cancel, "enough");
                var status = new WalArchivingStatus { SystemIdentifier = "7", Timeline = 1, ArchivedLsn = $"0/{pass}000", ActualRpoSeconds = 0 };
                return pass == 2
                    ? status with { Failures = r.Request.Failures + 1, Problem = new Failure(FailureKind.Failed, "The server is away.") }
                    : status;
            });
            await PlayAsync(s, steps, "WalArchivingOrchestrator", "wal-postgres", new WalArchivingRequest { PassSeconds = 30 });
        }),
    ];

    /// <summary>Plays it, and says how it ended, what it showed last, and all its steps.</summary>
    public static async Task PlayAsync(Stage stage, Steps steps, string orchestrator, string id, object input)
    {
        await stage.StartAs(id, orchestrator, input);
        using var patience = new CancellationTokenSource(3 * Stage.Patience);
        var end = await (await stage.ClientAsync()).WaitForInstanceCompletionAsync(id, true, patience.Token);
        stage.Say($"{end.Name} {end.RuntimeStatus} {Stage.Describe(end.FailureDetails)}");
        stage.Say($"output {Steps.Normal(end.SerializedOutput)}");
        stage.Say($"status {Steps.Normal(end.SerializedCustomStatus)}");
        steps.SayTo(stage);
    }

    public static Steps Verifications(Stage s, Steps? steps = null, string? cancelAt = null)
    {
        var watch = steps ?? new Steps();
        s.Orchestrator("VerificationOrchestrator", c => VerificationOrchestrator.Run(watch.Watch<VerificationRequest>(c)));
        s.Activity("VerifySnapshots", async (VerifySnapshotsRequest r) =>
        {
            if (r.SnapshotIds is [var id] && id == cancelAt)
                await (await s.ClientAsync()).RaiseEventAsync(r.InstanceId, InstanceEvents.Cancel, "enough");
            var isBad = r.SnapshotIds is ["bad"];
            return new VerificationResult
            {
                Outcome = RunOutcome.Complete, ExitCode = isBad ? 5 : 0, Level = r.Level, Snapshots = Math.Max(1, r.SnapshotIds.Count), Packs = 2,
                PacksRead = 1, BytesRead = 1000, DefectCount = isBad ? 1 : 0,
                Defects = isBad ? [new VerificationDefect("packs/x", "It is missing.", ["bad"], "fbackup repository repair")] : [],
            };
        });
        return watch;
    }

    private static void RestoreTests(Stage s, Steps steps, PickedTests? picked = null)
    {
        s.Orchestrator("RestoreTestingOrchestrator", c => RestoreTestingOrchestrator.Run(steps.Watch<RestoreTestRequest>(c)));
        s.Activity("PickRestoreTests", (RestoreTestRequest r) => picked ?? new PickedTests(r.SnapshotIds, null));
        s.Activity("TestRestore", (TestRestoreRequest r) => new SnapshotTestResult
        {
            SnapshotId = r.SnapshotId, Component = "logs", Passed = r.SnapshotId != "bad", Seconds = 2.5, Findings = ["It was restored.", "It was compared."],
        });
    }

    private static Steps Restores(Stage s, Func<Task<RestoreResult>> run)
    {
        var steps = new Steps();
        s.Orchestrator("RestoreOrchestrator", c => RestoreOrchestrator.Run(steps.Watch<RestoreRequest>(c)));
        s.Activity<RestoreWork, RestoreResult>("RestoreComponent", _ => run());
        return steps;
    }
}
