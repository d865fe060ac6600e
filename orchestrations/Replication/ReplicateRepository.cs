using FunctionsBackup.Components;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Replication;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>
/// One pass of replication to one replica. Broken off anywhere, the replica is valid and the next pass goes on; so it may be done again.
/// </summary>
public sealed class ReplicateRepository(BackupSite site)
{
    private const int MaximumListed = 20;
    private const int Attempts = 3;

    [Function(nameof(ReplicateRepository))]
    public async Task<ReplicaResult> Run(
        [ActivityTrigger] ReplicateRequest input, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        await using var watch = new ActivityWatch(site, client, input.InstanceId, "repository", input.Replica, cancellationToken);
        try
        {
            return await ReplicateAsync(input, watch);
        }
        catch (OperationCanceledException e) when (watch.IsCalledOff)
        {
            return Failed(input.Replica, Failures.Of(e));
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // Not tried again here: the store has tried, whoever waits for the backup should not, and the schedule comes back soon.
            return Failed(input.Replica, ReplicaAccess.Explain(site.Configuration, input.Replica, Failures.Of(e), e));
        }
    }

    internal static ReplicaResult Failed(string replica, Failure failure) => new()
    {
        Replica = replica,
        Outcome = failure.Kind == FailureKind.Interrupted ? RunOutcome.Cancelled : RunOutcome.Failed,
        ExitCode = Failures.ExitCodeOf(failure.Kind),
        Failure = failure,
    };

    private async Task<ReplicaResult> ReplicateAsync(ReplicateRequest input, ActivityWatch watch)
    {
        site.RequireKeys("Replication");
        var settings = ReplicaAccess.Find(site.Configuration, input.Replica);
        var began = site.Time.GetTimestamp();
        await using var replica = StoreFactory.Create(settings, site.Secrets, site.Time);
        if (input.Create) StoreFactory.Initialize(replica);
        for (var attempt = 1; ; attempt++)
        {
            // Opened anew, so that the keys and the index are those of now.
            await using var primary = await RepositoryAccess.OpenAsync(site, new RepositoryOptions { Time = site.Time }, watch.Token);
            try
            {
                var options = new ReplicationOptions
                {
                    Parallelism = site.Parallelism,
                    MayBegin = input.Create || settings.StorageBackend != "filesystem",
                    ObsoleteStreams = ReplicaStreams.ObsoleteAsync,
                };
                var progress = new Relay(watch);
                var report = await new Replicator(primary, replica, options).RunAsync(progress, watch.Token);
                // That it opens by itself, with what the site has, is what it is for.
                (await RepositoryAccess.UnlockAsync(site, replica, watch.Token)).Dispose();
                var lag = await ReplicaLag.MeasureAsync(primary.Store, replica, watch.Token);
                site.Metrics.RecordReplication(settings.Name, lag);
                return Result(settings, report, lag, site.Time.GetElapsedTime(began));
            }
            catch (NewEpochException) when (attempt < Attempts)
            {
                continue; // keys were rotated while this ran
            }
        }
    }

    private ReplicaResult Result(ReplicaSettings settings, ReplicationReport report, ReplicaLag lag, TimeSpan took) => new()
    {
        Replica = settings.Name,
        Outcome = RunOutcome.Complete,
        ExitCode = report.Damaged.Count > 0 || lag.Differing.Count > 0 ? 5 : report.OnlyOnReplica.Count > 0 || report.Notes.Count > 0 ? 3 : 0,
        CopiedObjects = report.CopiedObjects,
        CopiedBytes = report.CopiedBytes,
        RemovedObjects = report.RemovedObjects,
        MissingObjects = lag.MissingObjects,
        MissingBytes = lag.MissingBytes,
        LagSeconds = lag.Age(site.Time.GetUtcNow()).TotalSeconds,
        DamagedCount = report.Damaged.Count + lag.Differing.Count,
        Damaged =
        [
            .. report.Damaged.Select(d => $"{d.Name} is damaged in the repository: {d.Problem}; it was not copied.")
                .Concat(lag.Differing.Select(n => $"{n} has different sizes in the repository and in the replica: one of them is damaged."))
                .Take(MaximumListed),
        ],
        OnlyOnReplicaCount = report.OnlyOnReplica.Count,
        OnlyOnReplica = [.. report.OnlyOnReplica.Take(MaximumListed)],
        Notes = [.. report.Notes.Concat(report.Refusal is { } refusal ? [refusal] : []).Take(MaximumListed)],
        Seconds = took.TotalSeconds,
    };

    private sealed class Relay(ActivityWatch watch) : IProgress<ReplicationProgress>
    {
        public void Report(ReplicationProgress value) =>
            watch.Report(new WorkProgress(value.ObjectsDone, value.ObjectsTotal, value.BytesDone, value.BytesTotal, "replicating"));
    }
}
