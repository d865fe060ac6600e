using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Restore;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files;

/// <summary>Writes (a part of) a snapshot's tree to disk, in parallel, never through a symbolic link out of the target.</summary>
public sealed class TreeRestorer(BackupRepository repository)
{
    private const int RequestsPerEstimate = 32 << 10;

    public BackupRepository Repository { get; } = repository;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Restores. Nothing is written when it is refused. A file gets its name when it is complete; one that a failure or a cancellation
    /// interrupts is not left behind, while complete ones are, so that a delta restore can go on from there.
    /// </summary>
    /// <exception cref="RestoreRefusedException">The target does not allow it, has no room, or nothing matches.</exception>
    /// <exception cref="FormatException">A glob is not one.</exception>
    /// <exception cref="DamageException">The catalog is damaged, so that nobody knows what follows.</exception>
    /// <exception cref="IOException">The target cannot be written to.</exception>
    public async ValueTask<TreeRestoreReport> RestoreAsync(
        Snapshot snapshot, TreeRestoreOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        Check(options);
        var started = Time.GetTimestamp();
        var selection = new RestoreSelection(options);
        var meter = new ProgressMeter(progress, Time, snapshot.Statistics.Files, snapshot.Statistics.LogicalBytes);
        using var writers = new SegmentWriters();
        var context = new RestoreContext(Repository, options, Owners(snapshot, options), meter, writers);
        if (context.Owners.Unknown is { Count: > 0 } unknown)
            context.Warnings.Add($"This machine does not know {string.Join(", ", unknown)}; what they own got the number.");
        var targets = new List<RestoreTarget>();
        try
        {
            foreach (var root in options.Roots) targets.Add(RestoreTarget.Check(context, root));
            if (!context.MayReplace || options.Staging)
                await SpaceCheck.RunAsync(Repository, snapshot, selection, targets, cancellationToken).ConfigureAwait(false);
            await WriteAsync(context, snapshot, selection, targets, cancellationToken).ConfigureAwait(false);
            if (context.ErasedFiles > 0)
                context.Warnings.Add($"{context.ErasedFiles} files are of data subjects that were erased; nobody can read them any more, and they were left out.");
            Complete(context, targets);
            meter.Report();
            var report = context.ToReport();
            await MeasureAsync(options, report, Time.GetElapsedTime(started), cancellationToken).ConfigureAwait(false);
            return report;
        }
        finally
        {
            // What is not in place by now will never be.
            foreach (var target in targets) target.Discard();
            foreach (var target in targets) target.Dispose();
        }
    }

    /// <summary>What a restore would read, whatever is at the target.</summary>
    public async ValueTask<TreeRestorePlan> PlanAsync(Snapshot snapshot, TreeRestoreOptions options, CancellationToken cancellationToken)
    {
        Check(options);
        var selection = new RestoreSelection(options);
        var requests = new List<ChunkRequest>();
        var plan = new TreeRestorePlan(0, 0, 0, 0);
        await foreach (var entry in Repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Content is not { } content || !selection.TryFind(entry.Path, out _, out var relative)) continue;
            if (!selection.IsIncluded(relative.IsEmpty ? Posix.ByteName.LastPart(entry.Path.Span) : relative.Span, false)) continue;
            plan = plan with { Files = plan.Files + 1 };
            if (!entry.HardLinkTo.IsEmpty && selection.TakesAll) continue;
            plan = plan with { Bytes = plan.Bytes + content.Size };
            await foreach (var item in ItemsAsync(content, cancellationToken).ConfigureAwait(false))
            {
                if (item.IsHole) continue;
                requests.Add(new ChunkRequest(item.Id, (int)item.Length, 0, 0, item.Sealed));
                if (requests.Count == RequestsPerEstimate)
                    plan = await EstimateAsync(plan, requests, cancellationToken).ConfigureAwait(false);
            }
        }

        return await EstimateAsync(plan, requests, cancellationToken).ConfigureAwait(false);
    }

    private static void Check(TreeRestoreOptions options)
    {
        if (options.Roots.Count == 0) throw new ArgumentException("A restore needs at least one root.", nameof(options));
        if (options.DeleteExtra && !options.Delta)
            throw new RestoreRefusedException("What is not in the recovery point is only removed by a delta restore; ask for that too.");
        if (options.DeleteExtra && options.Include.Count > 0)
            throw new RestoreRefusedException("Removing what is not in the recovery point needs the whole of it; leave out the globs.");
    }

    /// <summary>Only what is like a restore in earnest: durable, and everything written. Holes cost nothing and do not count.</summary>
    private async ValueTask MeasureAsync(TreeRestoreOptions options, TreeRestoreReport report, TimeSpan took, CancellationToken cancellationToken)
    {
        if (!options.Sync || (options.Delta && !options.Staging) || report.Damaged.Count > 0) return;
        var measurement = new RestoreMeasurement(Time.GetUtcNow(), Environment.MachineName, report.Files, report.WrittenBytes, took.TotalSeconds);
        await new RestoreMeasurements(Repository).AddAsync(measurement, cancellationToken).ConfigureAwait(false);
    }

    private static OwnerMap Owners(Snapshot snapshot, TreeRestoreOptions options)
    {
        if (!options.OwnersByName || !options.Ownership) return OwnerMap.ByNumber;
        return FilesBackupDetails.FromJson(snapshot.Details) is { } details
            ? OwnerMap.ByName(details)
            : throw new RestoreRefusedException($"{snapshot.Id} has not noted the names of owners; restore them by number.");
    }

    private async ValueTask WriteAsync(
        RestoreContext context, Snapshot snapshot, RestoreSelection selection, List<RestoreTarget> targets,
        CancellationToken cancellationToken)
    {
        var executor = new BatchExecutor(context);
        var files = new FilePlanner(context, executor.StartAsync);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var tree = new TreePlanner(context, selection, targets, files);
        try
        {
            await foreach (var entry in Repository.ReadCatalogAsync(snapshot, stop.Token).ConfigureAwait(false))
                await tree.AddAsync(entry, stop.Token).ConfigureAwait(false);
            tree.End();
            await files.SubmitAsync(stop.Token).ConfigureAwait(false);
            await executor.WaitAsync().ConfigureAwait(false);
        }
        catch
        {
            // A batch in progress must have ended before what it wrote is removed.
            await stop.CancelAsync().ConfigureAwait(false);
            await executor.WaitAsync().ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await context.Writers.StopAsync().ConfigureAwait(false);
            context.DiscardUnfinished();
            throw;
        }

        if (targets.Find(target => !target.IsFound) is { } missing)
            throw new RestoreRefusedException(
                $"{snapshot.Id} has nothing under '{missing.Prefix}'; list what it holds and correct the path.");
        if (!selection.TakesAll && !targets.Exists(target => target.IsUsed))
            throw new RestoreRefusedException($"Nothing in {snapshot.Id} matches the globs; list what it holds and correct them.");
    }

    private static void Complete(RestoreContext context, List<RestoreTarget> targets)
    {
        foreach (var target in targets) target.Root.Finish(context);
        if (context.Options.Sync)
            foreach (var target in targets) target.Sync();
        foreach (var target in targets)
        {
            if (context.HasDamages && target.HadContent) target.KeepAside();
            else target.SwapIn();
        }
    }

    private async ValueTask<TreeRestorePlan> EstimateAsync(
        TreeRestorePlan plan, List<ChunkRequest> requests, CancellationToken cancellationToken)
    {
        var cost = await Repository.EstimateAsync(requests, cancellationToken).ConfigureAwait(false);
        requests.Clear();
        return plan with { StoredBytes = plan.StoredBytes + cost.Bytes, Requests = plan.Requests + cost.Requests };
    }

    private IAsyncEnumerable<ContentItem> ItemsAsync(ContentRef content, CancellationToken cancellationToken) =>
        Repository.ReadItemsAsync(content, cancellationToken);
}
