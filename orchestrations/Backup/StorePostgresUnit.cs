using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Takes a base backup: one long unit.</summary>
public sealed class StorePostgresUnit(BackupSite site)
{
    [Function(nameof(StorePostgresUnit))]
    public Task<UnitResult> Run(
        [ActivityTrigger] UnitRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        UnitWork.RunAsync(
            site, client, request,
            (repository, unit, watch) =>
            {
                var settings = site.Configuration.Postgres
                    ?? throw new ConfigurationException($"postgres is not configured; add components.postgres to {site.Configuration.File}.");
                var options = new PostgresBackupOptions(site.Secrets.Resolve(settings.Connection, "components.postgres.connection"))
                {
                    Component = request.Component,
                    DataDirectory = settings.DataDirectory,
                    Mode = Enum.Parse<PostgresBackupMode>(settings.Mode, ignoreCase: true),
                    Full = StoredPlan.Read(unit.Run).Full,
                    FastCheckpoint = settings.FastCheckpoint,
                    Parallelism = site.Parallelism,
                    Unit = unit,
                };
                return new PostgresBackup(repository, site.Time).RunAsync(options, watch, watch.Token);
            },
            cancellationToken);
}
