using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Storage.FileSystem;
using FunctionsBackup.Storage.Locks;
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
    private const int MaximumShares = 100;

    [Function(nameof(ApplyRetention))]
    public async Task<RetentionResult> Run(
        [ActivityTrigger] ApplyRetentionRequest input, [DurableClient] DurableTaskClient client, CancellationToken cancellationToken)
    {
        var gone = new List<AuditItem>();
        var result = await RunAsync(input, client, gone, cancellationToken);
        await site.Audit.RecordAsync(Entry(input, result, gone));
        return result;
    }

    private async Task<RetentionResult> RunAsync(
        ApplyRetentionRequest input, DurableTaskClient client, List<AuditItem> gone, CancellationToken cancellationToken)
    {
        await using var watch = new ActivityWatch(site, client, input.InstanceId, "repository", "retention", cancellationToken);
        try
        {
            site.RequireKeys("Retention");
            await using var lease = await site.Repositories.RentAsync(input.InstanceId, watch.Token);
            var result = await ApplyAsync(lease.Repository, input.Request, gone, watch.Token);
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

    private async Task<RetentionResult> ApplyAsync(
        BackupRepository repository, RetentionRequest request, List<AuditItem> gone, CancellationToken cancellationToken)
    {
        var dry = request.DryRun;
        var grace = TimeSpan.FromHours(request.GraceHours);
        await repository.Snapshots.EnsureNoneLostAsync(cancellationToken);
        if (!dry) await SuspicionCheck.RunLateAsync(site, repository, cancellationToken);
        var decisions = await RetentionDecisions.DecideAsync(site.Configuration, repository, site.Time.GetUtcNow(), cancellationToken);
        var removed = decisions.Where(d => !d.Keep).Select(d => d.Candidate.Id).ToHashSet();
        var expired = decisions.Where(d => d.LockedUntil is not null).Select(d => d.Candidate.Id).ToHashSet();
        if (!dry) expired.UnionWith(await RemoveAsync(repository, removed, cancellationToken));
        gone.AddRange(decisions.Where(d => !d.Keep && !expired.Contains(d.Candidate.Id))
            .Select(d => new AuditItem(d.Candidate.Id, dry ? "would go" : "removed", string.Join("; ", d.Reasons))));
        removed.ExceptWith(expired);
        var kept = decisions.Where(d => d.Keep && d.LockedUntil is null).Select(d => d.Candidate.Id).ToHashSet();
        var points = await repository.Points.PruneAsync(repository.Snapshots, removed, dry, cancellationToken);
        var wal = await StreamRetention.PruneAsync(
            repository, kept.Union(expired).ToHashSet(), site.Time.GetUtcNow(), dry, cancellationToken);
        var collection = new CollectionOptions
        {
            DryRun = dry, Grace = grace, Parallelism = site.Parallelism, Expired = expired, Unneeded = wal.Locked.Select(l => l.Name).ToHashSet(),
        };
        var garbage = await new GarbageCollector(repository).RunAsync(collection, cancellationToken);
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
            Expired = expired.Count,
            Locked = Shares(garbage, wal),
            RenewedLocks = garbage.RenewedLocks,
        };
    }

    private static AuditEntry Entry(ApplyRetentionRequest input, RetentionResult result, List<AuditItem> gone) => new()
    {
        Action = AuditActions.BackupPrune,
        Outcome = Outcomes.Of(result.Outcome, result.ExitCode),
        Actor = AuditActor.OfRequest(input.Request.RequestedBy),
        Instance = input.InstanceId,
        ExitCode = result.ExitCode,
        Error = result.Failure?.Sentence,
        Items = gone,
        Facts = new Dictionary<string, string>
        {
            ["dry_run"] = result.DryRun ? "true" : "false",
            ["kept"] = $"{result.Kept}",
            ["wal_objects_removed"] = $"{result.WalObjects}",
            ["packs_freed"] = $"{result.FreedPacks}",
            ["packs_marked"] = $"{result.MarkedPacks}",
        },
    };

    /// <summary>Removes them with one record for the replicas, as far as they are not locked after all.</summary>
    /// <returns>What stays because it is locked.</returns>
    private static async Task<List<string>> RemoveAsync(
        BackupRepository repository, IReadOnlySet<string> ids, CancellationToken cancellationToken)
    {
        try
        {
            await repository.Snapshots.DeleteAsync([.. ids], cancellationToken);
            return [];
        }
        catch (ObjectLockedException)
        {
            // One of them; the others go.
        }

        var locked = new List<string>();
        foreach (var id in ids)
        {
            try
            {
                await repository.Snapshots.DeleteAsync(id, cancellationToken);
            }
            catch (ObjectLockedException)
            {
                locked.Add(id);
            }
        }

        return locked;
    }

    private static List<LockedShare> Shares(CollectionReport garbage, StreamRetention.Pruned wal) =>
    [
        .. garbage.Locked.Concat(wal.Locked.Select(l => new LockedShare(l.Until, 1, l.Bytes))).GroupBy(s => s.Until).OrderBy(g => g.Key)
            .Select(g => new LockedShare(g.Key, g.Sum(s => s.Objects), g.Sum(s => s.Bytes))).Take(MaximumShares),
    ];

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
