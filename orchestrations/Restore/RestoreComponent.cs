using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Buckets;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Input of <see cref="RestoreComponent"/>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Request">What it was asked for.</param>
public sealed record RestoreWork(string InstanceId, RestoreRequest Request);

/// <summary>Restores a component, or only says how.</summary>
public sealed class RestoreComponent(BackupSite site)
{
    private const int MaximumListed = 20;

    [Function(nameof(RestoreComponent))]
    public async Task<RestoreResult> Run(
        [ActivityTrigger] RestoreWork work, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        var result = await RunAsync(work, client, cancellationToken);
        await site.Audit.RecordAsync(RestoreAudit.Of(work, result));
        return result;
    }

    private async Task<RestoreResult> RunAsync(RestoreWork work, DurableTaskClient client, CancellationToken cancellationToken)
    {
        await using var watch = new ActivityWatch(site, client, work.InstanceId, work.Request.Component, "restore", cancellationToken);
        try
        {
            RestoreRequests.Check(work.Request);
            await using var lease = await site.Repositories.RentForReadingAsync(work.InstanceId, work.Request.FromReplica, watch.Token);
            var result = LogicalRestores.IsServer(work.Request) ? await LogicalRestores.RunAsync(site, lease.Repository, work.Request, watch)
                : work.Request.Component == "postgres" ? await RestorePostgresAsync(lease.Repository, work.Request, watch)
                : work.Request.Component == "redis" ? await RedisRestores.RunAsync(site, lease.Repository, work.Request, watch)
                : LiveKitRestores.IsServer(work.Request) ? await LiveKitRestores.RunAsync(site, lease.Repository, work, watch)
                : await RestoreFilesAsync(lease.Repository, work.Request, watch);
            return await WithDoubtAsync(lease.Repository, Warned(result, lease.Fallbacks), watch.Token);
        }
        catch (OperationCanceledException e) when (watch.IsCalledOff)
        {
            return Failed(Failures.Of(e));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // What was written stays; a person decides how to go on.
            return Failed(Failures.Of(e));
        }
    }

    internal static RestoreResult Failed(Failure failure) => new()
    {
        Outcome = failure.Kind == FailureKind.Interrupted ? RunOutcome.Cancelled : RunOutcome.Failed,
        ExitCode = Failures.ExitCodeOf(failure.Kind),
        Failure = failure,
    };

    /// <summary>Who restores what is suspicious is told so; it may be just what is wanted.</summary>
    private static async Task<RestoreResult> WithDoubtAsync(BackupRepository repository, RestoreResult result, CancellationToken cancellationToken)
    {
        if (result.Plan is not { } plan) return result;
        string? doubt;
        try
        {
            doubt = await CleanPoints.DoubtAsync(repository, plan.SnapshotId, cancellationToken);
        }
        catch (Exception e) when (e is StoreException or RepositoryException)
        {
            doubt = $"Whether {plan.SnapshotId} is suspicious could not be seen: {e.Message}"; // what is restored is restored
        }

        if (doubt is null) return result;
        return result with
        {
            ExitCode = result.ExitCode == 0 ? 3 : result.ExitCode,
            WarningCount = result.WarningCount + 1,
            Warnings = [doubt, .. result.Warnings.Take(MaximumListed - 1)],
        };
    }

    /// <summary>That replicas had to help is worth a look, though nothing is missing.</summary>
    private static RestoreResult Warned(RestoreResult result, IReadOnlyList<string> fallbacks) => fallbacks.Count == 0 ? result : result with
    {
        ExitCode = result.ExitCode == 0 ? 3 : result.ExitCode,
        WarningCount = result.WarningCount + fallbacks.Count,
        Warnings = [.. result.Warnings.Concat(fallbacks).Take(MaximumListed)],
    };

    private async Task<RestoreResult> RestorePostgresAsync(BackupRepository repository, RestoreRequest request, ActivityWatch watch)
    {
        var options = await RestoreRequests.PostgresOptionsAsync(repository, request, site, watch.Token);
        var restore = new PostgresRestore(repository, site.Time);
        if (request.PlanOnly)
        {
            var plan = await restore.PlanAsync(options, watch.Token);
            return Planned(Summary(plan), plan.MeetsObjective == false || plan.Warnings.Count > 0);
        }

        var report = await restore.RunAsync(options, watch, watch.Token);
        return new RestoreResult
        {
            Outcome = RunOutcome.Complete,
            ExitCode = report.Warnings.Count > 0 ? 3 : 0,
            Plan = Summary(report.Plan),
            Files = report.Files,
            Bytes = report.Bytes,
            WrittenBytes = report.WrittenBytes,
            WalBytes = report.WalBytes,
            Seconds = report.Duration.TotalSeconds,
            WarningCount = report.Warnings.Count,
            Warnings = [.. report.Warnings.Take(MaximumListed)],
        };
    }

    private async Task<RestoreResult> RestoreFilesAsync(BackupRepository repository, RestoreRequest request, ActivityWatch watch)
    {
        var snapshot = await FilesRestores.FindAsync(repository, request, watch.Token);
        if (request.Target == KubernetesRestores.Target) return await RestoreToClusterAsync(repository, snapshot, request, watch.Token);
        var options = new TreeRestoreOptions(FilesRestores.Roots(snapshot, request.Target))
        {
            Include = request.Include,
            Delta = request.Delta,
            DeleteExtra = request.DeleteExtra,
            Overwrite = request.Overwrite,
            Staging = request.Staging,
            OwnersByName = request.OwnersByName,
            Ownership = Environment.IsPrivilegedProcess,
            Parallelism = site.Parallelism,
        };
        var restorer = new TreeRestorer(repository) { Time = site.Time };
        if (request.PlanOnly) return await PlanFilesAsync(repository, snapshot, restorer, options, watch.Token);
        var began = site.Time.GetTimestamp();
        var report = BucketTarget.Parse(request.Target) is { } target
            ? await RestoreToBucketAsync(repository, snapshot, target, options, watch)
            : await restorer.RestoreAsync(snapshot, options, watch, watch.Token);
        return new RestoreResult
        {
            Outcome = report.Damaged.Count > 0 ? RunOutcome.Partial : RunOutcome.Complete,
            ExitCode = report.Damaged.Count > 0 ? 5 : report.Warnings.Count > 0 ? 3 : 0,
            Plan = new RestorePlanSummary { SnapshotId = snapshot.Id, Files = report.Files, Bytes = report.Bytes },
            Files = report.Files,
            Bytes = report.Bytes,
            WrittenBytes = report.WrittenBytes,
            Seconds = site.Time.GetElapsedTime(began).TotalSeconds,
            WarningCount = report.Warnings.Count,
            Warnings = [.. report.Warnings.Take(MaximumListed)],
            DamagedCount = report.Damaged.Count,
            Damaged = [.. report.Damaged.Take(MaximumListed)],
        };
    }

    private async Task<RestoreResult> RestoreToClusterAsync(
        BackupRepository repository, Snapshot snapshot, RestoreRequest request, CancellationToken cancellationToken)
    {
        var began = site.Time.GetTimestamp();
        var report = await KubernetesRestores.RunAsync(site, repository, snapshot, request, cancellationToken);
        return new RestoreResult
        {
            Outcome = RunOutcome.Complete,
            ExitCode = report.Warnings.Count > 0 ? 3 : 0,
            Plan = new RestorePlanSummary { SnapshotId = snapshot.Id, Files = report.Objects, Bytes = report.Bytes },
            Files = report.Objects,
            Bytes = report.Bytes,
            WrittenBytes = request.PlanOnly ? 0 : report.Bytes,
            Seconds = site.Time.GetElapsedTime(began).TotalSeconds,
            WarningCount = report.Warnings.Count,
            Warnings = [.. report.Warnings.Take(MaximumListed)],
        };
    }

    private async ValueTask<TreeRestoreReport> RestoreToBucketAsync(
        BackupRepository repository, Snapshot snapshot, BucketTarget target, TreeRestoreOptions options, ActivityWatch watch)
    {
        await using var bucket = StoreFactory.OpenBucket(site.Configuration, target.Name, site.Secrets, site.Time);
        var its = new BucketRestoreOptions(target.Prefix) { Include = options.Include, Overwrite = options.Overwrite, Parallelism = site.Parallelism };
        return await new BucketRestorer(repository, site.Time).RestoreAsync(
            snapshot, [.. options.Roots.Select(r => r.Prefix)], bucket, its, watch, watch.Token);
    }

    private async Task<RestoreResult> PlanFilesAsync(
        BackupRepository repository, Snapshot snapshot, TreeRestorer restorer, TreeRestoreOptions options, CancellationToken cancellationToken)
    {
        var plan = await restorer.PlanAsync(snapshot, options, cancellationToken);
        var estimate = (await RestoreEstimator.LoadAsync(repository, cancellationToken)).Files(plan.Files, plan.Bytes, plan.Requests);
        var objective = site.Configuration.Objectives.For(snapshot.Component).Rto;
        var summary = new RestorePlanSummary
        {
            SnapshotId = snapshot.Id,
            Files = plan.Files,
            Bytes = plan.Bytes,
            StoredBytes = plan.StoredBytes,
            Requests = plan.Requests,
            EstimatedSeconds = Math.Round(estimate.TotalSeconds, 1),
            ObjectiveSeconds = objective.TotalSeconds,
            MeetsObjective = estimate <= objective,
        };
        return Planned(summary, estimate > objective);
    }

    private static RestoreResult Planned(RestorePlanSummary plan, bool warns) =>
        new() { Outcome = RunOutcome.Complete, ExitCode = warns ? 3 : 0, Plan = plan };

    private static RestorePlanSummary Summary(PostgresRestorePlan plan) => new()
    {
        SnapshotId = plan.Snapshot.Id,
        Files = plan.Files,
        Bytes = plan.Bytes,
        StoredBytes = plan.StoredBytes,
        Requests = plan.Requests,
        WalBytes = plan.WalBytes,
        StopLsn = plan.StopLsn.ToString(),
        Goal = plan.Goal.Describe(),
        Timeline = plan.Timeline,
        LastCommit = plan.LastCommit,
        Window = new RestoreWindow(
            plan.Window.BeginLsn.ToString(), plan.Window.BeginTime, plan.Window.EndLsn.ToString(), plan.Window.EndTime, plan.Window.Gap?.ToString()),
        InPlace = plan.InPlace,
        ServerVersion = plan.Details.ServerVersion,
        EstimatedSeconds = Math.Round(plan.Estimate.TotalSeconds, 1),
        ObjectiveSeconds = plan.Objective?.TotalSeconds,
        MeetsObjective = plan.MeetsObjective,
        Warnings = [.. plan.Warnings.Take(MaximumListed)],
    };
}
