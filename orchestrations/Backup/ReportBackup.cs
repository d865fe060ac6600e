using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Records what a backup did in the metrics and in the audit log, and starts retention where it is due.</summary>
public sealed class ReportBackup(BackupSite site)
{
    /// <returns>The instance of retention that was started; null if it was not due or not asked for.</returns>
    [Function(nameof(ReportBackup))]
    public async Task<string?> Run(
        [ActivityTrigger] BackupReport report, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        foreach (var component in report.Result.Components) site.Metrics.RecordBackup(report.Kind, component, report.Result);
        await site.Audit.RecordAsync(BackupAudit.Of(report));
        if (!report.Retention) return null;
        var started = await new RetentionStarter(site).StartDailyAsync(client, new RetentionRequest(), site.Time.GetUtcNow(), cancellationToken);
        return started.Started ? started.InstanceId : null;
    }
}

/// <summary>Input of <see cref="ReportBackup"/>.</summary>
/// <param name="Kind"><c>full</c> or <c>incremental</c>, as asked for.</param>
/// <param name="Retention">Start retention if it is due.</param>
/// <param name="Result">What the backup did.</param>
/// <param name="InstanceId">The orchestration.</param>
/// <param name="RequestedBy">Who asked.</param>
public sealed record BackupReport(
    string Kind, bool Retention, BackupResult Result, string? InstanceId = null, string? RequestedBy = null);
