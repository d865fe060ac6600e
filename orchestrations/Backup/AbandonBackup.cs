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
        await using (var lease = await site.Repositories.RentAsync(request.RunId, cancellationToken))
            await new BackupRuns(lease.Repository).RemoveAsync(request.RunId, cancellationToken);
        await site.Repositories.EndRunAsync(request.RunId);
        return true;
    }
}
