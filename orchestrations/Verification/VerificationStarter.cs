using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>Starts verifications: one at a time.</summary>
public sealed class VerificationStarter(BackupSite site)
{
    public const string Orchestrator = nameof(VerificationOrchestrator);

    /// <summary>Starts one now, unless one is running that was asked for the same.</summary>
    /// <exception cref="InvalidRequestException">There is no such level.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, VerificationRequest request, CancellationToken cancellationToken)
    {
        VerificationLevels.Parse(request.Level);
        foreach (var running in await Instance.ListLiveAsync(client, InstanceIds.Verification, cancellationToken))
            if (running.ReadInputAs<VerificationRequest>() is { } other && IsSame(other, request))
                return new StartResult(running.InstanceId, false);
        var subject = request.SnapshotIds.Count == 0 ? "all" : "some";
        var id = InstanceIds.OnDemand(InstanceIds.Verification, subject, site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, request, id, cancellationToken);
    }

    /// <summary>Starts what is due, once.</summary>
    public Task<StartResult> StartDueAsync(
        DurableTaskClient client, VerificationRequest request, DateTimeOffset dueAt, CancellationToken cancellationToken)
    {
        VerificationLevels.Parse(request.Level);
        _ = site.Configuration; // one that cannot be used starts nothing
        return Instance.StartOnceAsync(
            client, Orchestrator, request with { RequestedBy = "schedule" }, InstanceIds.Scheduled(InstanceIds.Verification, "all", dueAt),
            cancellationToken);
    }

    private static bool IsSame(VerificationRequest a, VerificationRequest b) =>
        a.Level == b.Level && a.SnapshotIds.Order(StringComparer.Ordinal).SequenceEqual(b.SnapshotIds.Order(StringComparer.Ordinal));
}
