using FunctionsBackup.Orchestrations.Replication;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Timers;

/// <summary>
/// Every few minutes: replicas get what was committed since, whoever committed it; backups start it too. One instance at a time.
/// </summary>
public sealed class ReplicationTimer(ReplicationStarter starter)
{
    [Function("RegularReplication")]
    [FixedDelayRetry(5, "00:01:00")]
    public Task RunAsync(
        [TimerTrigger("%" + AppSettings.Replication + "%")] TimerInfo timer, [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken) => starter.EnsureAsync(client, "schedule", cancellationToken);
}
