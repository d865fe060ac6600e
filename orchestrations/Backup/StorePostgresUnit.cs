using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
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
                if (settings.Mode == "logical") return LogicalAsync(repository, settings, request, unit, watch, null);
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
                return TakeAsync(repository, settings, options, request, unit, watch);
            },
            cancellationToken);

    /// <summary>With mode auto, a server that gives no access to its files is dumped.</summary>
    private async ValueTask<Snapshot> TakeAsync(
        BackupRepository repository, PostgresSettings settings, PostgresBackupOptions options, UnitRequest request, RunUnit unit, ActivityWatch watch)
    {
        try
        {
            return await new PostgresBackup(repository, site.Time).RunAsync(options, watch, watch.Token);
        }
        catch (Exception e) when (settings.Mode == "auto" && PhysicalRefusal.Reason(e) is not null)
        {
            return await LogicalAsync(repository, settings, request, unit, watch, PhysicalRefusal.Reason(e));
        }
    }

    private ValueTask<Snapshot> LogicalAsync(
        BackupRepository repository, PostgresSettings settings, UnitRequest request, RunUnit unit, ActivityWatch watch, string? reason)
    {
        var options = new LogicalBackupOptions(site.Secrets.Resolve(settings.Connection, "components.postgres.connection"))
        {
            Component = request.Component, Databases = settings.Databases, Full = StoredPlan.Read(unit.Run).Full, Parallelism = site.Parallelism, Unit = unit,
        };
        return new LogicalBackup(repository, site.Time).RunAsync(reason is null ? options : options with { Reason = reason }, watch, watch.Token);
    }
}
