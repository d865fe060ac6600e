using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>Brings all replicas up to the repository, side by side; one that fails does not stop the others.</summary>
public static class ReplicationOrchestrator
{
    [Function(nameof(ReplicationOrchestrator))]
    public static async Task<ReplicationResult> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<ReplicationRequest>() ?? new ReplicationRequest();
        var cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        var heartbeat = context.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat);
        Heartbeat? last = null;
        var running = request.Replicas.Select(name => context.CallActivityAsync<ReplicaResult>(
            nameof(ReplicateRepository), new ReplicateRequest(context.InstanceId, name, request.Create), Retrying.Default)).ToList();
        while (running.Exists(t => !t.IsCompleted))
        {
            Show(cancel.IsCompleted ? "cancelling" : "copying");
            List<Task> waiting = [.. running.Where(t => !t.IsCompleted), heartbeat];
            if (!cancel.IsCompleted) waiting.Add(cancel);
            await Task.WhenAny(waiting);
            if (!heartbeat.IsCompleted) continue;
            last = await heartbeat;
            heartbeat = context.WaitForExternalEvent<Heartbeat>(InstanceEvents.Heartbeat);
        }

        var results = new List<ReplicaResult>();
        for (var i = 0; i < running.Count; i++) results.Add(await ResultAsync(running[i], request.Replicas[i]));
        Show("ended");
        return new ReplicationResult
        {
            Outcome = results.TrueForAll(r => r.Outcome == RunOutcome.Complete) ? RunOutcome.Complete
                : results.Exists(r => r.Outcome == RunOutcome.Cancelled) ? RunOutcome.Cancelled
                : results.TrueForAll(r => r.Outcome == RunOutcome.Failed) ? RunOutcome.Failed
                : RunOutcome.Partial,
            ExitCode = Worst(results),
            Replicas = results,
        };

        void Show(string phase) => context.SetCustomStatus(new ReplicationStatus(
            phase, running.Count(t => t.IsCompleted), running.Count, last?.FilesDone ?? 0, last?.BytesDone ?? 0, last?.BytesTotal ?? 0));
    }

    private static async Task<ReplicaResult> ResultAsync(Task<ReplicaResult> task, string name)
    {
        try
        {
            return await task;
        }
        catch (TaskFailedException e)
        {
            return ReplicateRepository.Failed(name, Failures.Of(e));
        }
    }

    /// <summary>Interrupted, then damage, then failures, then warnings.</summary>
    private static int Worst(List<ReplicaResult> results)
    {
        foreach (var code in new[] { 130, 5, 2, 1, 4, 3 })
            if (results.Exists(r => r.ExitCode == code)) return code;
        return 0;
    }
}
