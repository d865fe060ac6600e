using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Storage.FileSystem;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>Input of <see cref="ApplyRetention"/>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Request">What it was asked for.</param>
public sealed record ApplyRetentionRequest(string InstanceId, RetentionRequest Request);

/// <summary>
/// Removes the snapshots that no rule keeps, the WAL that no kept base backup needs, records that join nothing any more, and, after a time
/// of grace, the packs that nothing refers to. All of it may be done again.
/// </summary>
public sealed class ApplyRetention(BackupSite site)
{
    [Function(nameof(ApplyRetention))]
    public async Task<RetentionResult> Run(
        [ActivityTrigger] ApplyRetentionRequest input, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        await using var watch = new ActivityWatch(site, client, input.InstanceId, "repository", "retention", cancellationToken);
        try
        {
            await using var lease = await site.Repositories.RentAsync(input.InstanceId, watch.Token);
            var result = await ApplyAsync(lease.Repository, input.Request, watch.Token);
            site.Metrics.RecordRetention(result);
            return result;
        }
        catch (OperationCanceledException e) when (watch.IsCalledOff)
        {
            return Failed(input, e);
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            return Failed(input, e);
        }
    }

    private async Task<RetentionResult> ApplyAsync(BackupRepository repository, RetentionRequest request, CancellationToken cancellationToken)
    {
        var dry = request.DryRun;
        var grace = TimeSpan.FromHours(request.GraceHours);
        await repository.Snapshots.EnsureNoneLostAsync(cancellationToken);
        var decisions = await RetentionDecisions.DecideAsync(site.Configuration, repository, site.Time.GetUtcNow(), cancellationToken);
        var removed = decisions.Where(d => !d.Keep).Select(d => d.Candidate.Id).ToHashSet();
        if (!dry)
            foreach (var id in removed) await repository.Snapshots.DeleteAsync(id, cancellationToken);
        var kept = decisions.Where(d => d.Keep).Select(d => d.Candidate.Id).ToHashSet();
        var points = await repository.Points.PruneAsync(repository.Snapshots, removed, dry, cancellationToken);
        var wal = await WalRetention.PruneAsync(repository, kept, dry, cancellationToken);
        var garbage = await new GarbageCollector(repository).RunAsync(
            new CollectionOptions { DryRun = dry, Grace = grace, Parallelism = site.Parallelism }, cancellationToken);
        if (!dry && repository.Store is FileSystemObjectStore folder) await folder.CleanTemporaryAsync(grace, cancellationToken);
        return new RetentionResult
        {
            Outcome = RunOutcome.Complete,
            DryRun = dry,
            Kept = kept.Count,
            Removed = removed.Count,
            RemovedIds = [.. removed.Order(StringComparer.Ordinal).Take(100)],
            RemovedPoints = points,
            WalObjects = wal.Objects,
            WalBytes = wal.Bytes,
            FreedPacks = garbage.DeletedPacks,
            FreedBytes = garbage.FreedBytes,
            MarkedPacks = garbage.MarkedPacks,
            RepackedPacks = garbage.RepackedPacks,
            WaitingBytes = garbage.WaitingBytes,
            RemovableAt = garbage.RemovableAt,
        };
    }

    private static RetentionResult Failed(ApplyRetentionRequest input, Exception e)
    {
        var failure = Failures.Of(e);
        return new RetentionResult
        {
            Outcome = failure.Kind == FailureKind.Interrupted ? RunOutcome.Cancelled : RunOutcome.Failed,
            ExitCode = Failures.ExitCodeOf(failure.Kind),
            DryRun = input.Request.DryRun,
            Failure = failure,
        };
    }
}
