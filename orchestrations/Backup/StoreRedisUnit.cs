using FunctionsBackup.Components.Redis;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Reads a Redis server: one unit.</summary>
public sealed class StoreRedisUnit(BackupSite site)
{
    [Function(nameof(StoreRedisUnit))]
    public Task<UnitResult> Run(
        [ActivityTrigger] UnitRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        UnitWork.RunAsync(
            site, client, request,
            async (repository, unit, watch) =>
            {
                var plan = StoredPlan.Read(unit.Run);
                var options = new RedisBackupOptions(RedisAccess.Connect(site))
                {
                    Component = request.Component, Mode = RedisAccess.Mode(site), Full = plan.Full, Unit = unit, Parallelism = site.Parallelism,
                };
                return await new RedisBackup(repository, site.Time).RunAsync(options, watch, watch.Token);
            },
            cancellationToken);
}
