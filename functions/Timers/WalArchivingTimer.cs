using FunctionsBackup.Orchestrations.WalArchiving;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Timers;

/// <summary>Makes sure that WAL is being archived: the orchestration goes on for ever, unless somebody ended it or it failed.</summary>
public sealed class WalArchivingTimer(WalArchivingStarter starter)
{
    [Function("EnsureWalArchiving")]
    public Task RunAsync(
        [TimerTrigger("%" + AppSettings.Wal + "%")] TimerInfo timer, [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken) => starter.EnsureAsync(client, cancellationToken);
}
