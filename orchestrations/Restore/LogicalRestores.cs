using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Restores of logical backups of PostgreSQL into a server that runs.</summary>
public static class LogicalRestores
{
    /// <summary>The target that means the server of <c>components.postgres</c>.</summary>
    public const string Server = "server";

    private const int MaximumListed = 20;

    /// <summary>Whether the request is one into a server: the configured one, or one whose connection a secret holds.</summary>
    public static bool IsServer(RestoreRequest request) => request.Component == "postgres" && IsServer(request.Target);

    public static bool IsServer(string target) => target == Server || SecretReference.TryParse(target, out _);

    /// <summary>Checks what is of logical restores alone. True: the request is one, and makes sense.</summary>
    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public static bool Check(RestoreRequest request)
    {
        if (!IsServer(request))
        {
            if (request.DatabaseNames.Count > 0 || request.Schemas.Count > 0 || request.Tables.Count > 0 || request.Clean)
                throw new InvalidRequestException("database, schema, table and clean go with a restore of postgres into a server: the target 'server', or env:NAME with its connection.");
            return false;
        }

        if (request.Delta || request.Overwrite || request.Staging || request.DeleteExtra || request.OwnersByName || request.Include.Count > 0 || request.TablespaceMap.Count > 0
            || request.RestoreCommand is not null)
            throw new InvalidRequestException("Options of files have no meaning for a restore into a server; choose with database, schema and table, and replace with clean.");
        if (request.ToLsn is not null || request.ToName is not null || request.ToXid is not null || request.Inclusive || request.Exclusive)
            throw new InvalidRequestException("A logical backup restores to the moment at which it was taken; name a recovery point, or the latest before a time.");
        if ((request.ToTime is not null || request.BeforeAnomaly) && request.Point != "latest")
            throw new InvalidRequestException("to_time and before_anomaly go with latest: they choose the recovery point by themselves.");
        if (request.Exact || request.RestartEgress || request.IdMap is not null) throw new InvalidRequestException("exact, restart_egress and id_map have no meaning for postgres.");
        return true;
    }

    /// <summary>Finds the recovery point, and says what would be restored.</summary>
    public static async Task<LogicalPlan> PlanAsync(BackupSite site, BackupRepository repository, RestoreRequest request, CancellationToken cancellationToken)
    {
        var snapshot = await FindAsync(repository, request, cancellationToken);
        var reader = await LogicalSnapshotReader.OpenAsync(repository, snapshot, cancellationToken);
        var options = Options(site, request);
        var plan = LogicalRestorePlan.Of(reader, options);
        var tables = plan.Databases.SelectMany(d => d.Database.Tables).Where(plan.Includes).ToList();
        var bytes = tables.Sum(t => t.Bytes);
        var estimate = Components.Estimates.RestoreRates.Rows(bytes);
        var objective = site.Configuration.Objectives.Database.Rto;
        var refusal = await LogicalRestore.RefusalAsync(reader, options, cancellationToken);
        return new LogicalPlan(snapshot.Id, reader.Details, [.. plan.Databases.Select(d => (d.Database.Name, d.Name))], tables.Count, tables.Sum(t => t.Rows), bytes, refusal,
            new RestorePlanSummary
            {
                SnapshotId = snapshot.Id, Files = tables.Count, Bytes = bytes, EstimatedSeconds = Math.Round(estimate.TotalSeconds, 1), ObjectiveSeconds = objective.TotalSeconds,
                MeetsObjective = estimate <= objective, ServerVersion = reader.Details.ServerVersion, Warnings = refusal is null ? [] : [refusal],
            });
    }

    internal static async Task<RestoreResult> RunAsync(BackupSite site, BackupRepository repository, RestoreRequest request, ActivityWatch watch)
    {
        if (request.PlanOnly)
        {
            var plan = await PlanAsync(site, repository, request, watch.Token);
            return new RestoreResult { Outcome = RunOutcome.Complete, ExitCode = plan.Refusal is not null || plan.Summary.MeetsObjective == false ? 3 : 0, Plan = plan.Summary };
        }

        var began = site.Time.GetTimestamp();
        var snapshot = await FindAsync(repository, request, watch.Token);
        var report = await new LogicalRestore(repository, site.Time).RunAsync(snapshot, Options(site, request), watch, watch.Token);
        return new RestoreResult
        {
            Outcome = RunOutcome.Complete,
            ExitCode = report.Warnings.Count > 0 ? 3 : 0,
            Plan = new RestorePlanSummary { SnapshotId = snapshot.Id, Files = report.Tables, Bytes = report.Bytes },
            Files = report.Tables,
            Bytes = report.Bytes,
            WrittenBytes = report.Bytes,
            Seconds = site.Time.GetElapsedTime(began).TotalSeconds,
            WarningCount = report.Warnings.Count,
            Warnings = [.. report.Warnings.Take(MaximumListed)],
            Logical = new LogicalRestored(report.Databases, report.Tables, report.Rows),
        };
    }

    /// <summary>With latest, the newest logical one: a database may have physical backups beside it.</summary>
    private static async ValueTask<Snapshot> FindAsync(BackupRepository repository, RestoreRequest request, CancellationToken cancellationToken)
    {
        if (request.Point != "latest" || request.BeforeAnomaly) return await FilesRestores.FindAsync(repository, request, cancellationToken);
        await foreach (var snapshot in repository.Snapshots.ListNewestFirstAsync(request.Component, cancellationToken))
            if (!(snapshot.CompletedAt > request.ToTime) && LogicalBackupDetails.FromJson(snapshot.Details) is not null) return snapshot;
        throw new SnapshotNotFoundException(
            "The repository has no logical backup of postgres by then; a physical one goes into a folder: --target FOLDER.");
    }

    private static LogicalRestoreOptions Options(BackupSite site, RestoreRequest request) => new(Connection(site, request.Target))
    {
        Databases = request.DatabaseNames, Schemas = request.Schemas, Tables = request.Tables, Clean = request.Clean, Parallelism = site.Parallelism,
    };

    private static string Connection(BackupSite site, string target)
    {
        if (SecretReference.TryParse(target, out var another)) return site.Secrets.Resolve(another, "the target");
        var settings = site.Configuration.Postgres
            ?? throw new ConfigurationException($"postgres is not configured; add components.postgres to {site.Configuration.File}.");
        return site.Secrets.Resolve(settings.Connection, "components.postgres.connection");
    }
}

/// <summary>What a restore of a logical backup would do.</summary>
/// <param name="SnapshotId">The recovery point.</param>
/// <param name="Details">Of it.</param>
/// <param name="Databases">With the names that they get.</param>
/// <param name="Tables">With rows of their own.</param>
/// <param name="Rows">Together.</param>
/// <param name="Bytes">Of the rows.</param>
/// <param name="Refusal">Why the target would not take it; null: it would.</param>
/// <param name="Summary">The same for those who know plans only.</param>
public sealed record LogicalPlan(
    string SnapshotId, LogicalBackupDetails Details, IReadOnlyList<(string Name, string Target)> Databases, int Tables, long Rows, long Bytes, string? Refusal,
    RestorePlanSummary Summary);
