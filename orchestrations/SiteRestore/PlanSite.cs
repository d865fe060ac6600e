using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Orchestrations.SiteRestore;

/// <summary>Input of <see cref="PlanSite"/>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Request">What it was asked for.</param>
public sealed record PlanSiteRequest(string InstanceId, SiteRestoreRequest Request);

/// <summary>Chooses the recovery points of a restore of the site.</summary>
public sealed class PlanSite(BackupSite site)
{
    [Function(nameof(PlanSite))]
    public async Task<SitePlan> Run([ActivityTrigger] PlanSiteRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await using var lease = await site.Repositories.RentForReadingAsync(request.InstanceId, request.Request.FromReplica, cancellationToken);
            var asked = request.Request;
            var plan = await new SitePlanner(lease.Repository).PlanAsync(asked.Components, asked.ToTime, asked.BeforeAnomaly, cancellationToken);
            if (plan.Components.Any(c => c.SnapshotId is not null)) return plan;
            var sentence = plan.Components.Select(c => c.Problem).OfType<string>().FirstOrDefault()
                ?? "The repository has no recovery point; 'fbackup backup run' makes one.";
            return plan with { Failure = new Failure(FailureKind.NotFound, sentence) };
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            return new SitePlan { Failure = Failures.Of(e) };
        }
    }
}
