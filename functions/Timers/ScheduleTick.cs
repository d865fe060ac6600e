using FunctionsBackup.Operations.Scheduling;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Functions.Timers;

/// <summary>
/// Starts what the policies and <c>restore_tests</c> of <c>backup_config.yaml</c> make due. Each occurrence once: its time is in the
/// instance's id, so that a tick that comes twice, late, or on two hosts starts nothing twice; and a tick that fails is repeated before its
/// time counts as looked at, so that none is lost.
/// </summary>
public sealed partial class ScheduleTick(BackupSite site, BackupStarter backups, RestoreTestStarter tests, ILogger<ScheduleTick> log)
{
    [Function(nameof(ScheduleTick))]
    [FixedDelayRetry(-1, "00:00:30")]
    public async Task RunAsync(
        [TimerTrigger("%" + AppSettings.Tick + "%")] TimerInfo timer, [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken)
    {
        var now = site.Time.GetUtcNow();
        var since = Occurrence.Since(timer, now, TimeSpan.FromMinutes(1));
        var protectedComponents = ProtectedComponents.Of(site.Configuration);
        var failures = new List<Exception>();
        foreach (var due in DuePolicies.Between(
            site.Configuration.Schedules.Where(p => protectedComponents.Contains(p.Component)), since, now))
        {
            var kind = due.Kind == "full_backup" ? "full" : due.Kind;
            await StartAsync($"{due.Kind} of {due.Component}", due.DueAt, () =>
                backups.StartDueAsync(client, due.Component, kind, due.DueAt, cancellationToken));
        }

        var restoreTests = site.Configuration.RestoreTests;
        if (protectedComponents.Count > 0 && !site.IsWriteOnly && restoreTests.Schedule.LatestBetween(since, now) is { } dueAt)
            await StartAsync("restore test", dueAt, () =>
                tests.StartDueAsync(client, new RestoreTestRequest { Sample = restoreTests.Sample }, dueAt, cancellationToken));
        if (failures.Count > 0) throw new AggregateException("Not all that is due could be started; it is tried again.", failures);

        async Task StartAsync(string what, DateTimeOffset at, Func<Task<StartResult>> start)
        {
            try
            {
                var started = await start();
                if (started.Started) LogStarted(log, started.InstanceId, at);
            }
            catch (InvalidRequestException e)
            {
                LogRefused(log, what, e.Message);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                failures.Add(e); // the others are started all the same
            }
        }
    }

    [LoggerMessage(5001, LogLevel.Information, "Started {Instance}, due at {DueAt:O}.")]
    private static partial void LogStarted(ILogger logger, string instance, DateTimeOffset dueAt);

    [LoggerMessage(5002, LogLevel.Warning, "The {What} is due, but cannot be started: {Reason}")]
    private static partial void LogRefused(ILogger logger, string what, string reason);
}
