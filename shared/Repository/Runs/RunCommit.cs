using System.Text.Json.Nodes;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Runs;

/// <summary>
/// Ends a run: for each component a snapshot from its parts, then the record that joins them. Ids follow from the run's, so that a commit
/// that was interrupted is done again and finds what it had done. Each snapshot restores by itself: whatever is there is whole.
/// </summary>
public sealed class RunCommit
{
    private readonly BackupRepository _repository;
    private readonly BackupRuns _runs;
    private readonly CollectionMarks _marks;

    private RunCommit(BackupRepository repository, RunPlan run)
    {
        _repository = repository;
        _runs = new BackupRuns(repository);
        _marks = new CollectionMarks(repository.Store, repository.Sealed);
        Run = run;
    }

    public RunPlan Run { get; }

    /// <summary>Begins to commit. Null: the run has been committed, and its parts are gone; see <see cref="BackupRepository.Points"/>.</summary>
    /// <exception cref="RepositoryException">There is no such run.</exception>
    public static async ValueTask<RunCommit?> OpenAsync(BackupRepository repository, string runId, CancellationToken cancellationToken)
    {
        if (await new BackupRuns(repository).FindAsync(runId, cancellationToken).ConfigureAwait(false) is { } run)
        {
            await repository.RefreshIndexAsync(cancellationToken).ConfigureAwait(false); // units may have run elsewhere
            var commit = new RunCommit(repository, run);
            await commit._runs.CondemnAsync(cancellationToken).ConfigureAwait(false);
            return commit;
        }

        if (await repository.Points.FindAsync(runId, cancellationToken).ConfigureAwait(false) is { } point && IsOurs(repository, point.Writer)) return null;
        throw BackupRuns.Gone(runId);
    }

    /// <summary>Makes the snapshot of a component visible: all or nothing.</summary>
    /// <param name="component">Its name.</param>
    /// <param name="units">Its units in catalog order; all are done.</param>
    /// <param name="details">Puts the details of the parts together.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="RepositoryException">A unit is not done, or garbage collection may have taken what one relied on.</exception>
    public async ValueTask<Snapshot> CommitAsync(
        string component, IReadOnlyList<string> units, Func<IReadOnlyList<RunPart>, JsonObject?> details, CancellationToken cancellationToken)
    {
        if (units.Count == 0) throw new ArgumentException("A component has at least one unit.", nameof(units));
        var id = RunIds.SnapshotId(Run.Token, component);
        if (await FindCommittedAsync(id, cancellationToken).ConfigureAwait(false) is { } committed) return committed;
        var parts = new List<RunPart>(units.Count);
        foreach (var unit in units)
        {
            var part = await _runs.FindPartAsync(Run.Token.RunId, unit, cancellationToken).ConfigureAwait(false);
            if (part is null || part.Component != component)
                throw new RepositoryException($"Unit {unit} of run {Run.Token.RunId} is not stored, so {component} was not committed; run the backup again.");
            parts.Add(part);
        }

        var (catalog, linked, stored) = parts.Count == 1
            ? (parts[0].Catalog, 0, 0)
            : await MergeAsync(component, parts, cancellationToken).ConfigureAwait(false);
        var parents = parts.Select(p => p.Parent).OfType<string>().Distinct().ToList();
        await RunFence.CheckAsync(_marks, Run.Token, token => AllExistAsync(parents, token), cancellationToken).ConfigureAwait(false);
        var snapshot = new Snapshot
        {
            Id = id,
            Component = component,
            Kind = parts.Exists(p => p.Kind == "full") ? "full" : parts[0].Kind,
            Parent = parents.Count > 0 ? parents[0] : null,
            Point = Run.Token.RunId,
            StartedAt = Run.Token.StartedAt,
            CompletedAt = _repository.Time.GetUtcNow(),
            Host = string.Join(", ", parts.Select(p => p.Host).Distinct()),
            WrittenBy = BackupRepository.ProductVersion,
            Catalog = catalog,
            Warnings = [.. parts.SelectMany(p => p.Warnings).Concat(_repository.IndexWarnings).Distinct()],
            Details = details(parts),
            Statistics = Add(parts, linked, stored),
        };
        // Somebody may have been faster: then it is the same, and theirs is the witness.
        if (!await _repository.Snapshots.TryCommitAsync(snapshot, cancellationToken).ConfigureAwait(false))
            return await FindCommittedAsync(id, cancellationToken).ConfigureAwait(false) ?? throw new RepositoryException(
                $"Recovery point {id} was removed while it was made; run the backup again.");
        if (Run.Token.CollectionWaited && !await AllExistAsync(parents, CancellationToken.None).ConfigureAwait(false))
        {
            // Removed between the look before and the record: a collection that looked in that moment saw neither.
            await _repository.Snapshots.TakeBackAsync(id, CancellationToken.None).ConfigureAwait(false);
            throw CollectionFence.ParentGone();
        }

        await _repository.Snapshots.WitnessAsync(snapshot).ConfigureAwait(false);
        return snapshot;
    }

    /// <summary>
    /// Writes the record that joins the snapshots, if there are any, and removes the parts.
    /// </summary>
    /// <param name="components">What became of each.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <param name="audit">Chains of the audit log as far as they are known.</param>
    public async ValueTask<RecoveryPoint?> CompleteAsync(
        IReadOnlyList<PointComponent> components, CancellationToken cancellationToken, IReadOnlyList<AuditHead>? audit = null)
    {
        RecoveryPoint? point = null;
        if (components.Any(c => c.SnapshotId is not null))
        {
            point = new RecoveryPoint
            {
                Id = Run.Token.RunId,
                StartedAt = Run.Token.StartedAt,
                CompletedAt = _repository.Time.GetUtcNow(),
                Host = Environment.MachineName,
                WrittenBy = BackupRepository.ProductVersion,
                Outcome = components.All(c => c.SnapshotId is not null) ? "complete" : "partial",
                Components = components,
                Audit = audit,
            };
            await _repository.Points.CreateAsync(point, cancellationToken).ConfigureAwait(false);
        }

        await _runs.RemoveAsync(Run.Token.RunId, cancellationToken).ConfigureAwait(false);
        return point;
    }

    /// <summary>What an earlier attempt made. Its id follows from the run's, so a host that only writes could have guessed it, and taken it.</summary>
    /// <exception cref="DamageException">Something else is in its place.</exception>
    private async ValueTask<Snapshot?> FindCommittedAsync(string id, CancellationToken cancellationToken)
    {
        var committed = await _repository.Snapshots.FindAsync(id, cancellationToken).ConfigureAwait(false);
        return committed is null || IsOurs(_repository, committed.Writer)
            ? committed
            : throw new DamageException(
                SnapshotStore.Prefix + id,
                $"The write-only writer {committed.Writer} has taken the place of recovery point {id}, so nothing was committed; run the backup again, and look at that host.");
    }

    /// <summary>A host that only writes reads nothing but its own session's, so what it can read is its own.</summary>
    private static bool IsOurs(BackupRepository repository, string? writer) => repository.IsWriteOnly || writer is null;

    private async ValueTask<bool> AllExistAsync(List<string> ids, CancellationToken cancellationToken)
    {
        foreach (var id in ids)
            if (!await _repository.Snapshots.ExistsAsync(id, cancellationToken).ConfigureAwait(false)) return false;
        return true;
    }

    /// <summary>The pieces one after the other: leaves are taken over, but for those in which hard links are joined.</summary>
    private async ValueTask<(ContentRef Catalog, long LinkedBytes, long StoredBytes)> MergeAsync(
        string component, List<RunPart> parts, CancellationToken cancellationToken)
    {
        var links = new LinkMerger(parts);
        await using var session = _repository.BeginSession(new SessionOptions(component, 1));
        var builder = new ContentBuilder(session, PackKind.Metadata);
        foreach (var part in parts)
        {
            if (!links.Changes(part))
            {
                await foreach (var item in ContentReader.ReadItemsAsync(_repository.Fetcher, part.Catalog, cancellationToken).ConfigureAwait(false))
                    await builder.AddItemAsync(item, cancellationToken).ConfigureAwait(false);
                continue;
            }

            await foreach (var leaf in CatalogLeaves.ReadAsync(_repository.Fetcher, part.Catalog, null, cancellationToken).ConfigureAwait(false))
            {
                if (leaf.Damage is not null) throw leaf.Damage;
                if (links.Rewrite(Run.Token.RunId, leaf.Bytes!) is { } rewritten)
                    await builder.AddChunkAsync(rewritten, cancellationToken).ConfigureAwait(false);
                else
                    await builder.AddItemAsync(leaf.Item, cancellationToken).ConfigureAwait(false);
            }
        }

        var catalog = await builder.CompleteAsync(cancellationToken).ConfigureAwait(false);
        await session.FlushAsync(cancellationToken).ConfigureAwait(false);
        return (catalog, links.LinkedBytes, session.StoredBytes);
    }

    private static SnapshotStatistics Add(List<RunPart> parts, long linked, long stored) => new()
    {
        Entries = parts.Sum(p => p.Statistics.Entries),
        Files = parts.Sum(p => p.Statistics.Files),
        LogicalBytes = parts.Sum(p => p.Statistics.LogicalBytes) - linked,
        ReadBytes = parts.Sum(p => p.Statistics.ReadBytes),
        NewBytes = parts.Sum(p => p.Statistics.NewBytes),
        NewChunks = parts.Sum(p => p.Statistics.NewChunks),
        StoredBytes = parts.Sum(p => p.Statistics.StoredBytes) + stored,
    };
}
