using FunctionsBackup.Orchestrations.Instances;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Settles which components an instance works on; see <see cref="BackupClaims"/>.</summary>
public sealed class ClaimBackup
{
    [Function(nameof(ClaimBackup))]
    public static async Task<ClaimResult> Run(
        [ActivityTrigger] ClaimRequest request, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken) =>
        BackupClaims.Decide(
            request.InstanceId, request.Components, await Instance.ListLiveAsync(client, InstanceIds.Backup, cancellationToken));
}
