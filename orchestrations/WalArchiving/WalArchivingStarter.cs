using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.WalArchiving;

/// <summary>Keeps the one WAL archiving orchestration of a cluster going: call it every few minutes.</summary>
public sealed class WalArchivingStarter(BackupSite site)
{
    public const string Orchestrator = nameof(WalArchivingOrchestrator);

    /// <summary>Starts it unless it runs; null if no database is configured, or this host only writes: to go on, it would have to read.</summary>
    public async Task<StartResult?> EnsureAsync(DurableTaskClient client, CancellationToken cancellationToken)
    {
        if (site.Configuration.Postgres is null || site.IsWriteOnly) return null;
        return await Instance.StartSingletonAsync(
            client, Orchestrator, new WalArchivingRequest(), InstanceIds.Singleton(InstanceIds.WalArchiving, "postgres"), cancellationToken);
    }
}
