using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>
/// Plan per component → units of roughly equal work → a bounded number of them at once → one commit → verify → report. A component that
/// fails does not stop the others; cancelled before the commit, nothing becomes visible.
/// </summary>
public static class BackupOrchestrator
{
    [Function(nameof(BackupOrchestrator))]
    public static Task<BackupResult> Run([OrchestrationTrigger] TaskOrchestrationContext context) =>
        new BackupFlow(context, context.GetInput<BackupRequest>() ?? new BackupRequest()).RunAsync();
}
