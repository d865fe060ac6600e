using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Configuration;

namespace FunctionsBackup.Functions.Timers;

/// <summary>
/// What is done regularly so that backups stay worth having. Each occurrence starts one instance, named by its time. A host that only writes
/// does none of it: another, which has the keys, does.
/// </summary>
public sealed class MaintenanceTimers(
    BackupSite site, IConfiguration settings, VerificationStarter verifications, RetentionStarter retention, RestoreTestStarter tests)
{
    private DateTimeOffset Now => site.Time.GetUtcNow();

    /// <summary>Daily: a tenth of the packs, those first that were not looked at longest.</summary>
    [Function("DailyVerification")]
    [FixedDelayRetry(5, "00:01:00")]
    public Task VerifyAsync(
        [TimerTrigger("%" + AppSettings.Verification + "%")] TimerInfo timer, [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken) => site.IsWriteOnly ? Task.CompletedTask : verifications.StartDueAsync(
            client, new VerificationRequest { Level = "sample:10" }, Occurrence.DueAt(timer, settings, AppSettings.Verification, Now),
            cancellationToken);

    /// <summary>Daily: what the policies no longer keep goes. Backups start it too; one of a day is enough.</summary>
    [Function("DailyRetention")]
    [FixedDelayRetry(5, "00:01:00")]
    public Task RetainAsync(
        [TimerTrigger("%" + AppSettings.Retention + "%")] TimerInfo timer, [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken) => site.IsWriteOnly ? Task.CompletedTask : retention.StartDailyAsync(
            client, new RetentionRequest(), Occurrence.DueAt(timer, settings, AppSettings.Retention, Now), cancellationToken);

    /// <summary>Monthly: the newest recovery point of each component, and two at random.</summary>
    [Function("MonthlyDrill")]
    [FixedDelayRetry(5, "00:01:00")]
    public Task DrillAsync(
        [TimerTrigger("%" + AppSettings.Drill + "%")] TimerInfo timer, [DurableClient] DurableTaskClient client,
        CancellationToken cancellationToken) => site.IsWriteOnly ? Task.CompletedTask : tests.StartDueAsync(
            client, new RestoreTestRequest { Sample = 3 }, Occurrence.DueAt(timer, settings, AppSettings.Drill, Now), cancellationToken);
}
