using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Orchestrations.WalArchiving;
using FunctionsBackup.SelfHosting.Engine.Execution;
using FunctionsBackup.SelfHosting.Engine.Replay;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>
/// Each orchestrator is recorded while the engine replays it at every turn, and then its history is run once more and compared step by step,
/// inputs included.
/// </summary>
public sealed class ReplayTests
{
    [Fact]
    public async Task Every_orchestrator_does_the_same_again()
    {
        await using var test = await TestSite.CreateAsync();
        await using var engine = await TestEngine.StartAsync(test, maxLive: 0);
        var backup = await engine.RunAsync<BackupResult>(
            nameof(BackupOrchestrator), new BackupRequest { Components = ["voice_data", "logs"], Retention = true }, "backup-1");
        backup.Outcome.ShouldBe(RunOutcome.Complete);
        await ReplayAsync(engine, "backup-1", nameof(BackupOrchestrator));
        await ReplayAsync(engine, "verify-of-backup-1", nameof(VerificationOrchestrator));
        await engine.EndOfAsync(backup.RetentionInstance!);
        await ReplayAsync(engine, backup.RetentionInstance!, nameof(RetentionOrchestrator));
        await engine.RunAsync<RestoreResult>(
            nameof(RestoreOrchestrator), new RestoreRequest { Component = "logs", Target = Path.Join(test.Folder, "restored") }, "restore-1");
        await ReplayAsync(engine, "restore-1", nameof(RestoreOrchestrator));
        await engine.RunAsync<RestoreTestResult>(nameof(RestoreTestingOrchestrator), new RestoreTestRequest { Components = ["logs"] }, "restoretest-1");
        await ReplayAsync(engine, "restoretest-1", nameof(RestoreTestingOrchestrator));
        // The configuration names no replica: what is asked for fails, and that is said of it.
        var replication = await engine.RunAsync<ReplicationResult>(
            nameof(ReplicationOrchestrator), new ReplicationRequest { Replicas = ["a", "b"] }, "replication-1");
        replication.Replicas.Select(r => r.Outcome).ShouldAllBe(o => o == RunOutcome.Failed);
        await ReplayAsync(engine, "replication-1", nameof(ReplicationOrchestrator));
        // There is no database: each pass is a failure, which is a state of it; cancelled, it ends.
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(
            nameof(WalArchivingOrchestrator), new WalArchivingRequest(), new StartOrchestrationOptions("wal-postgres"));
        await engine.Client.RaiseEventAsync("wal-postgres", InstanceEvents.Cancel, "enough");
        await engine.EndOfAsync("wal-postgres");
        await ReplayAsync(engine, "wal-postgres", nameof(WalArchivingOrchestrator));
    }

    private static async Task ReplayAsync(TestEngine engine, string instance, string name)
    {
        var history = await engine.Engine.GetHistoryAsync(instance);
        history.Count.ShouldBeGreaterThan(3, instance);
        var code = engine.Registry.FindOrchestrator(name, null).ShouldNotBeNull();
        var execution = new OrchestrationExecution(
            new ExecutionIdentity(instance, name, "", null), code.Run, NullLoggerFactory.Instance, 256 * 1024, () => { });
        new HistoryReplay(execution, compareInputs: true).Run(history);
    }
}
