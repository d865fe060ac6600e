using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Buckets;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Stores one stretch of a component of files.</summary>
public sealed class StoreFilesUnit(BackupSite site)
{
    [Function(nameof(StoreFilesUnit))]
    public Task<UnitResult> Run(
        [ActivityTrigger] UnitRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        UnitWork.RunAsync(
            site, client, request,
            async (repository, unit, watch) =>
            {
                var (plan, index) = StoredPlan.Read(unit.Run).FindFiles(request.Component, request.Unit);
                if (plan.Buckets.Count > 0)
                {
                    await using var bucket = StoreFactory.OpenBucket(site.Configuration, plan.Buckets[index], site.Secrets, site.Time);
                    return await new BucketBackup(repository, site.Time).RunUnitAsync(unit, plan, index, bucket, site.Parallelism, watch, watch.Token);
                }

                // A unit that has company leaves the other cores to it.
                var parallelism = plan.Units.Count > 1 ? 1 : site.Parallelism;
                using var sources = request.Component == "configuration" ? ConfigurationSources.Open(site) : ConfigurationSources.None;
                return await new FilesBackup(repository, site.Time) { Sources = sources.All }.RunUnitAsync(unit, plan, index, parallelism, watch, watch.Token);
            },
            cancellationToken);
}
