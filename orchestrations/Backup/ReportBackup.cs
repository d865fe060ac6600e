using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Records what a backup did in the metrics and in the audit log, and starts what follows: replication, and retention where it is due.</summary>
public sealed class ReportBackup(BackupSite site)
{
    [Function(nameof(ReportBackup))]
    public async Task<FollowUps> Run(
        [ActivityTrigger] BackupReport report, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        foreach (var component in report.Result.Components) site.Metrics.RecordBackup(report.Kind, component, report.Result);
        await site.Audit.RecordAsync(BackupAudit.Of(report));
        var replication = report.Result.Components.Any(c => c.SnapshotId is not null)
            ? await new ReplicationStarter(site).EnsureAsync(client, "backup", cancellationToken)
            : null;
        if (!report.Retention || site.IsWriteOnly) return new FollowUps(null, replication?.InstanceId);
        var started = await new RetentionStarter(site).StartDailyAsync(client, new RetentionRequest(), site.Time.GetUtcNow(), cancellationToken);
        return new FollowUps(started.Started ? started.InstanceId : null, replication?.InstanceId);
    }
}

/// <summary>What was started after a backup.</summary>
/// <param name="Retention">The instance; null if it was not due or not asked for.</param>
/// <param name="Replication">The instance; null if there are no replicas.</param>
public sealed record FollowUps(string? Retention, string? Replication);

/// <summary>Input of <see cref="ReportBackup"/>.</summary>
/// <param name="Kind"><c>full</c> or <c>incremental</c>, as asked for.</param>
/// <param name="Retention">Start retention if it is due.</param>
/// <param name="Result">What the backup did.</param>
/// <param name="InstanceId">The orchestration.</param>
/// <param name="RequestedBy">Who asked.</param>
public sealed record BackupReport(
    string Kind, bool Retention, BackupResult Result, string? InstanceId = null, string? RequestedBy = null);
