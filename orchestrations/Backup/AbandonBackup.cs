using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Runs;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Removes the parts of a run that will not be committed; chunks that nothing refers to are collected in time.</summary>
public sealed class AbandonBackup(BackupSite site)
{
    [Function(nameof(AbandonBackup))]
    public async Task<bool> Run([ActivityTrigger] AbandonRequest request, CancellationToken cancellationToken)
    {
        try
        {
            await using var lease = await site.Repositories.RentAsync(request.RunId, cancellationToken);
            await new BackupRuns(lease.Repository).RemoveAsync(request.RunId, cancellationToken);
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            return false; // the run has failed with just that, or collection removes what is left
        }

        await site.Repositories.EndRunAsync(request.RunId);
        return true;
    }
}
