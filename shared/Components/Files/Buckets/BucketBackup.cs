using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Subjects;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>Backs up a component of files whose data lies in buckets: each bucket is a unit of its own, in the order of their names.</summary>
public sealed class BucketBackup(BackupRepository repository, TimeProvider time)
{
    /// <summary>Plans a run. Nothing is listed yet.</summary>
    /// <param name="options">What is to be backed up; its paths are not looked at.</param>
    /// <param name="buckets">Names, and where they are.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<FilesPlan> PlanAsync(
        FilesBackupOptions options, IReadOnlyDictionary<string, string> buckets, CancellationToken cancellationToken)
    {
        var parent = await repository.FindParentAsync(
            options.Component,
            snapshot => FilesBackupDetails.FromJson(snapshot.Details)?.Paths is { } known
                && known.Count == buckets.Count && buckets.All(b => known.GetValueOrDefault(b.Key) == b.Value),
            cancellationToken).ConfigureAwait(false);
        var names = buckets.Keys.Order(StringComparer.Ordinal).ToList();
        return new FilesPlan
        {
            Component = options.Component,
            Paths = [],
            Buckets = names,
            Include = options.Include,
            Exclude = options.Exclude,
            Subjects = options.Subjects,
            Full = options.Full,
            Parent = parent?.Id,
            Units = [.. names.Select(_ => new PlannedUnit(0, 0))],
        };
    }

    /// <summary>Does one unit of a run.</summary>
    /// <param name="unit">From <see cref="BackupRuns.JoinAsync"/>.</param>
    /// <param name="plan">From <see cref="PlanAsync"/>.</param>
    /// <param name="index">Which of its buckets.</param>
    /// <param name="bucket">That bucket.</param>
    /// <param name="parallelism">Objects that are read at once.</param>
    /// <param name="progress">Told a few times a second.</param>
    /// <param name="cancellationToken">Stops; what was stored is found again by the next attempt.</param>
    /// <exception cref="Storage.StoreException">The bucket cannot be listed.</exception>
    public async ValueTask<Snapshot> RunUnitAsync(
        RunUnit unit, FilesPlan plan, int index, IBucket bucket, int parallelism, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var name = plan.Buckets[index];
        var warnings = new WarningList();
        var options = plan.ToOptions(parallelism);
        var startedAt = unit.Run.Token.StartedAt;
        var before = plan.Parent is null ? null : await repository.FindParentAsync(
            plan.Component, snapshot => snapshot.Id == plan.Parent, cancellationToken).ConfigureAwait(false);
        await using var parent = new ParentCatalog(
            before,
            before is null ? null : repository.ReadCatalogAsync(before, Posix.ByteName.Parse(name), cancellationToken).GetAsyncEnumerator(cancellationToken),
            warnings.Add);
        await using var session = repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = unit });
        var meter = new ProgressMeter(progress, time);
        var tags = new SubjectTags(repository.Subjects, options.Subjects);
        var pipeline = new BucketPipeline(session, parent, warnings, meter, tags, options);
        await pipeline.RunAsync(name, bucket, startedAt, cancellationToken).ConfigureAwait(false);
        meter.Report();
        if (tags.Warning is { } leftOut) warnings.Add(leftOut);
        var details = new FilesBackupDetails
        {
            Paths = new Dictionary<string, string> { [name] = bucket.Description },
            Include = options.Include,
            Exclude = options.Exclude,
            Excluded = pipeline.Excluded,
            Unchanged = pipeline.Unchanged,
        };
        var kind = before is null || options.Full ? "full" : "incremental";
        var draft = new SnapshotDraft(kind, options.Full ? null : before?.Id, startedAt, warnings.ToList(), details.ToJson());
        return await session.CommitAsync(draft, cancellationToken).ConfigureAwait(false);
    }
}
