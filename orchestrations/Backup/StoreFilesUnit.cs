using FunctionsBackup.Components.Files;
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
            (repository, unit, watch) =>
            {
                var (plan, index) = StoredPlan.Read(unit.Run).FindFiles(request.Component, request.Unit);
                // A unit that has company leaves the other cores to it.
                var parallelism = plan.Units.Count > 1 ? 1 : site.Parallelism;
                return new FilesBackup(repository, site.Time).RunUnitAsync(unit, plan, index, parallelism, watch, watch.Token);
            },
            cancellationToken);
}
