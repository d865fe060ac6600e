using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Cli.Running.Work;

/// <summary>Starts a backup from the command line, or finds the one that is at the same work.</summary>
internal static class BackupStart
{
    /// <summary>A backup that rested longer than this, because nobody worked on it, is not what somebody wants who asks for one now.</summary>
    private static readonly TimeSpan Stale = TimeSpan.FromHours(1);

    public static async Task<StartResult> StartAsync(
        CommandContext context, WorkHost host, BackupRequest request, CancellationToken cancellationToken)
    {
        var starter = new BackupStarter(context.Site);
        if (host.WorksHere) await EndStaleAsync(context, host, cancellationToken);
        return await starter.StartAsync(host.Client, request, cancellationToken);
    }

    /// <summary>What those stored is reused, so nothing is lost but their moment in time.</summary>
    private static async Task EndStaleAsync(CommandContext context, WorkHost host, CancellationToken cancellationToken)
    {
        var now = context.Time.GetUtcNow();
        foreach (var old in await Instance.ListLiveAsync(host.Client, InstanceIds.Backup, cancellationToken))
        {
            // Somebody meant a suspended one to rest.
            if (old.RuntimeStatus == OrchestrationRuntimeStatus.Suspended) continue;
            if (now - old.CreatedAt < Stale || now - old.LastUpdatedAt < Stale) continue;
            context.Printer.Note($"{old.InstanceId} was left unfinished at {Human.Moment(old.LastUpdatedAt)} and is cancelled.");
            await Instance.CancelAsync(host.Client, old.InstanceId, "left unfinished", cancellationToken);
            await host.Client.WaitForInstanceCompletionAsync(old.InstanceId, cancellationToken);
        }
    }
}
