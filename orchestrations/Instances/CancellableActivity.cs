using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Instances;

/// <summary>Waits for one long activity, shows how far it is, and has it broken off when the instance is cancelled. Orchestrator code.</summary>
internal static class CancellableActivity
{
    /// <param name="context">The orchestration.</param>
    /// <param name="activity">Its task.</param>
    /// <param name="show">Sets the custom status: the phase, and the last heartbeat if there was one.</param>
    /// <param name="phase">The phase while it runs.</param>
    /// <param name="failed">Makes the result of one that failed for good.</param>
    public static async Task<T> WaitAsync<T>(
        TaskOrchestrationContext context, Task<T> activity, Action<string, Heartbeat?> show, string phase, Func<Failure, T> failed)
    {
        var cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        var heartbeat = context.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat);
        Heartbeat? last = null;
        show(phase, last);
        while (!activity.IsCompleted)
        {
            await Task.WhenAny(cancel.IsCompleted ? [activity, heartbeat] : [activity, heartbeat, cancel]);
            if (heartbeat.IsCompleted)
            {
                last = await heartbeat;
                heartbeat = context.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat);
            }

            if (!activity.IsCompleted) show(cancel.IsCompleted ? "cancelling" : phase, last);
        }

        try
        {
            var result = await activity;
            show("ended", last);
            return result;
        }
        catch (TaskFailedException e)
        {
            show("ended", last);
            return failed(Failures.Of(e));
        }
    }
}
