using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>Starts replication: after commits, regularly for what was missed, and on demand.</summary>
public sealed class ReplicationStarter(BackupSite site)
{
    public const string Orchestrator = nameof(ReplicationOrchestrator);

    /// <summary>Starts it now, unless an instance is at all of these replicas.</summary>
    /// <exception cref="InvalidRequestException">A replica is unknown, or none is configured.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, ReplicationRequest request, CancellationToken cancellationToken)
    {
        var configuration = site.Configuration;
        if (configuration.Replicas.Count == 0)
            throw new InvalidRequestException($"No replica is configured; add one under replication.replicas in {configuration.File}.");
        var names = request.Replicas.Count == 0 ? [.. configuration.Replicas.Select(r => r.Name)]
            : request.Replicas.Select(n => ReplicaAccess.Find(configuration, n).Name).Distinct().ToList();
        if (!request.Create)
            foreach (var running in await Instance.ListLiveAsync(client, InstanceIds.Replication, cancellationToken))
                if (running.ReadInputAs<ReplicationRequest>() is { } other && names.TrueForAll(other.Replicas.Contains))
                    return new StartResult(running.InstanceId, false);
        var id = InstanceIds.OnDemand(InstanceIds.Replication, names.Count == 1 ? names[0] : "all", site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, request with { Replicas = names }, id, cancellationToken);
    }

    /// <summary>
    /// Starts the one that the schedule and the ends of backups share, unless it runs; null if no replica is configured, or this host only writes.
    /// </summary>
    /// <remarks>What is committed while it runs is copied by the next, which the schedule starts.</remarks>
    public async Task<StartResult?> EnsureAsync(DurableTaskClient client, string requestedBy, CancellationToken cancellationToken)
    {
        var names = site.Configuration.Replicas.Select(r => r.Name).ToList();
        if (names.Count == 0 || site.IsWriteOnly) return null;
        return await Instance.StartSingletonAsync(
            client, Orchestrator, new ReplicationRequest { Replicas = names, RequestedBy = requestedBy },
            InstanceIds.Singleton(InstanceIds.Replication, "scheduled"), cancellationToken);
    }
}
