using FunctionsBackup.Orchestrations.Instances;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>
/// Restores one component. The work is not tried again by itself: what a failed attempt has written is a person's to judge, and a restore
/// with delta goes on from there.
/// </summary>
public static class RestoreOrchestrator
{
    [Function(nameof(RestoreOrchestrator))]
    public static Task<RestoreResult> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<RestoreRequest>()
            ?? throw new InvalidOperationException("A restore needs a request; start it with RestoreStarter.");
        var activity = context.CallActivityAsync<RestoreResult>(
            nameof(RestoreComponent), new RestoreWork(context.InstanceId, request), Retrying.Once);
        return CancellableActivity.WaitAsync(
            context, activity, (phase, beat) => context.SetCustomStatus(Status(phase, beat)), request.PlanOnly ? "planning" : "restoring",
            RestoreComponent.Failed);
    }

    private static RestoreStatus Status(string phase, Heartbeat? beat) => new()
    {
        Phase = phase,
        FilesDone = beat?.FilesDone ?? 0,
        BytesDone = beat?.BytesDone ?? 0,
        BytesTotal = beat?.BytesTotal ?? 0,
        LastHeartbeat = beat?.At,
    };
}
