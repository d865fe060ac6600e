using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask;

namespace FunctionsBackup.Orchestrations.WalArchiving;

/// <summary>Archives WAL for ever: one pass, then a new history. Ends only when it is cancelled.</summary>
public static class WalArchivingOrchestrator
{
    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(5);

    [Function(nameof(WalArchivingOrchestrator))]
    public static async Task<WalArchivingStatus?> Run([OrchestrationTrigger] TaskOrchestrationContext context)
    {
        var request = context.GetInput<WalArchivingRequest>() ?? new WalArchivingRequest();
        context.SetCustomStatus(request.Last ?? new WalArchivingStatus());
        var cancel = context.WaitForExternalEvent<string>(InstanceEvents.Cancel);
        var pass = context.CallActivityAsync<WalArchivingStatus>(nameof(ArchiveWal), new ArchiveWalRequest(context.InstanceId, request), Retrying.Once);
        await Task.WhenAny(pass, cancel);
        if (!pass.IsCompleted) context.SetCustomStatus((request.Last ?? new WalArchivingStatus()) with { Phase = "cancelling" });
        var status = await ResultAsync(pass, request);
        context.SetCustomStatus(status);
        if (cancel.IsCompleted) return status;
        if (status.Failures > 0)
        {
            using var stop = new CancellationTokenSource();
            var wait = context.CreateTimer(Backoff(status.Failures, request.MaximumBackoffSeconds), stop.Token);
            await Task.WhenAny(wait, cancel);
            if (cancel.IsCompleted)
            {
#pragma warning disable CA1849 // what is cancelled here completes at once, in the orchestrator's own context
                stop.Cancel();
#pragma warning restore CA1849
                return status;
            }
        }

        context.ContinueAsNew(request with { Last = status, Failures = status.Failures });
        return null;
    }

    internal static TimeSpan Backoff(int failures, double maximumSeconds) =>
        TimeSpan.FromSeconds(Math.Min(FirstBackoff.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 20)), Math.Max(1, maximumSeconds)));

    private static async Task<WalArchivingStatus> ResultAsync(Task<WalArchivingStatus> pass, WalArchivingRequest request)
    {
        try
        {
            return await pass;
        }
        catch (TaskFailedException e)
        {
            return (request.Last ?? new WalArchivingStatus()) with { Failures = request.Failures + 1, Problem = Failures.Of(e) };
        }
    }
}
