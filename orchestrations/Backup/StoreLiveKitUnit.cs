using FunctionsBackup.Components.LiveKit;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Reads all that a LiveKit server tells of itself: one unit.</summary>
public sealed class StoreLiveKitUnit(BackupSite site)
{
    [Function(nameof(StoreLiveKitUnit))]
    public Task<UnitResult> Run(
        [ActivityTrigger] UnitRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        UnitWork.RunAsync(
            site, client, request,
            (repository, unit, watch) =>
            {
                var options = new LiveKitBackupOptions(LiveKitAccess.Connect(site)) { Component = request.Component, Unit = unit, Parallelism = site.Parallelism };
                return new LiveKitBackup(repository, site.Time).RunAsync(options, watch, watch.Token);
            },
            cancellationToken);
}
