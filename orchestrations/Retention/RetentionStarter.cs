using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>Starts retention: one at a time, and on a schedule once a day.</summary>
public sealed class RetentionStarter(BackupSite site)
{
    public const string Orchestrator = nameof(RetentionOrchestrator);

    /// <exception cref="InvalidRequestException">The grace time is out of bounds.</exception>
    public async Task<StartResult> StartAsync(DurableTaskClient client, RetentionRequest request, CancellationToken cancellationToken)
    {
        Check(request);
        foreach (var running in await Instance.ListLiveAsync(client, InstanceIds.Retention, cancellationToken))
            if (running.ReadInputAs<RetentionRequest>()?.DryRun == request.DryRun) return new StartResult(running.InstanceId, false);
        var id = InstanceIds.OnDemand(InstanceIds.Retention, "all", site.Time.GetUtcNow(), Random.Shared);
        return await Instance.StartOnceAsync(client, Orchestrator, request, id, cancellationToken);
    }

    /// <summary>Starts the retention of that day (UTC), once.</summary>
    public Task<StartResult> StartDailyAsync(
        DurableTaskClient client, RetentionRequest request, DateTimeOffset day, CancellationToken cancellationToken)
    {
        Check(request);
        _ = site.Configuration; // one that cannot be used starts nothing
        var due = new DateTimeOffset(day.UtcDateTime.Date, TimeSpan.Zero);
        return Instance.StartOnceAsync(
            client, Orchestrator, request with { RequestedBy = "schedule" }, InstanceIds.Scheduled(InstanceIds.Retention, "all", due),
            cancellationToken);
    }

    private static void Check(RetentionRequest request)
    {
        if (request.GraceHours is not (>= 1 and <= 8760)) throw new InvalidRequestException("The grace time must be from 1 to 8760 hours.");
    }
}
