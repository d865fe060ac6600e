using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.RestoreTesting;

/// <summary>Starts restore tests: one at a time, and what is due once.</summary>
public sealed class RestoreTestStarter(BackupSite site)
{
    public const string Orchestrator = nameof(RestoreTestingOrchestrator);

    /// <exception cref="InvalidRequestException">A component is unknown, or the sample makes no sense.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, RestoreTestRequest request, CancellationToken cancellationToken)
    {
        var checkedRequest = Check(request);
        foreach (var running in await Instance.ListLiveAsync(client, InstanceIds.RestoreTest, cancellationToken))
            return new StartResult(running.InstanceId, false);
        var subject = InstanceIds.SubjectOf(checkedRequest.Components, ProtectedComponents.Of(site.Configuration));
        var id = InstanceIds.OnDemand(InstanceIds.RestoreTest, subject, site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, checkedRequest, id, cancellationToken);
    }

    /// <summary>Starts what is due, once.</summary>
    public Task<StartResult> StartDueAsync(
        DurableTaskClient client, RestoreTestRequest request, DateTimeOffset dueAt, CancellationToken cancellationToken) =>
        Instance.StartOnceAsync(
            client, Orchestrator, Check(request) with { RequestedBy = "schedule" }, InstanceIds.Scheduled(InstanceIds.RestoreTest, "all", dueAt),
            cancellationToken);

    private RestoreTestRequest Check(RestoreTestRequest request)
    {
        if (request.Sample is < 1 or > 100) throw new InvalidRequestException("The sample must be from 1 to 100 recovery points of each component.");
        return request with { Components = ProtectedComponents.Choose(site.Configuration, request.Components) };
    }
}
