using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.SiteRestore;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Orchestrations.WalArchiving;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Functions;

/// <summary>Orchestrations that do nothing until they are cancelled: the triggers are what is tested here.</summary>
public static class StandIns
{
    [Function(BackupStarter.Orchestrator)]
    public static async Task<BackupResult> Backup([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<BackupRequest>()!;
        context.SetCustomStatus(new BackupStatus
        {
            Phase = BackupPhase.Storing, UnitsTotal = 3,
            Components = [.. request.Components.Select(c => new ComponentStatus { Component = c, State = FunctionsBackup.Orchestrations.Backup.ComponentState.Storing })],
        });
        await context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        return new BackupResult { Outcome = RunOutcome.Cancelled, ExitCode = 130 };
    }

    [Function(RestoreStarter.Orchestrator)]
    public static async Task<RestoreResult> Restore([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        await context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        return new RestoreResult { Outcome = RunOutcome.Cancelled };
    }

    [Function(SiteRestoreStarter.Orchestrator)]
    public static async Task<SiteRestoreResult> RestoreSite([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        await context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        return new SiteRestoreResult { Outcome = RunOutcome.Cancelled };
    }

    [Function(VerificationStarter.Orchestrator)]
    public static async Task<VerificationResult> Verify([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        await context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        return new VerificationResult { Outcome = RunOutcome.Cancelled, Level = "quick" };
    }

    [Function(RetentionStarter.Orchestrator)]
    public static Task Retain([OrchestrationTrigger] TaskOrchestrationContext context) =>
        context.WaitForExternalEvent<string>(InstanceEvents.Cancel);

    [Function(RestoreTestStarter.Orchestrator)]
    public static Task Test([OrchestrationTrigger] TaskOrchestrationContext context) =>
        context.WaitForExternalEvent<string>(InstanceEvents.Cancel);

    [Function(WalArchivingStarter.Orchestrator)]
    public static Task Archive([OrchestrationTrigger] TaskOrchestrationContext context) =>
        context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
}
