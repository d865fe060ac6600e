using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Starts restores: into one target one at a time.</summary>
public sealed class RestoreStarter(BackupSite site)
{
    public const string Orchestrator = nameof(RestoreOrchestrator);

    /// <summary>Starts a restore; one that is writing to the same target is the answer instead.</summary>
    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, RestoreRequest request, CancellationToken cancellationToken)
    {
        RestoreRequests.Check(request);
        if (!request.PlanOnly)
            foreach (var running in await Instance.ListLiveAsync(client, InstanceIds.Restore, cancellationToken))
                if (running.ReadInputAs<RestoreRequest>() is { PlanOnly: false } other && RestoreRequests.SameTarget(other, request))
                    return new StartResult(running.InstanceId, false);
        var id = InstanceIds.OnDemand(InstanceIds.Restore, request.Component, site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, request, id, cancellationToken);
    }
}
