using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Anomalies;

/// <summary>Looks at a recovery point that was committed just now, and marks it if it is unusual.</summary>
public static class AnomalyCheck
{
    private const int Readers = 8;

    /// <summary>Doing it again finds what was found, unless a person has decided since.</summary>
    /// <returns>Null: nothing is unusual.</returns>
    /// <exception cref="RepositoryException">What was before cannot be read.</exception>
    /// <exception cref="Storage.StoreException">The store cannot be reached.</exception>
    public static async ValueTask<AnomalyRecord?> RunAsync(
        BackupRepository repository, Snapshot snapshot, AnomalyThresholds thresholds, CancellationToken cancellationToken)
    {
        var store = new AnomalyStore(repository.Store, repository.Sealed);
        var suspicions = await store.ListAsync(snapshot.Component, cancellationToken).ConfigureAwait(false);
        if (suspicions.Of(snapshot.Id) is { } known) return known.Record;
        var earlier = await EarlierAsync(repository, snapshot, suspicions, thresholds.History, cancellationToken).ConfigureAwait(false);
        // What is in doubt must not become what is usual.
        var history = earlier.Where(suspicions.IsClean).Select(BackupFigures.Of).ToList();
        var accepted = suspicions.All.Where(s => s.IsAccepted && string.CompareOrdinal(s.SnapshotId, snapshot.Id) < 0)
            .SelectMany(s => s.Record?.Anomalies ?? []).LastOrDefault(a => a.Kind == AnomalyKind.Compressibility)?.Value;
        var found = AnomalyRules.Judge(BackupFigures.Of(snapshot), history, thresholds, accepted);
        if (found.Count == 0) return null;
        var record = new AnomalyRecord(snapshot.Id, repository.Time.GetUtcNow(), Environment.MachineName, found);
        await store.AddAsync(record, cancellationToken).ConfigureAwait(false);
        return record;
    }

    /// <summary>The newest so many before it that can be read, oldest first.</summary>
    private static async ValueTask<IReadOnlyList<Snapshot>> EarlierAsync(
        BackupRepository repository, Snapshot snapshot, Suspicions suspicions, int count, CancellationToken cancellationToken)
    {
        var ids = await repository.Snapshots.ListIdsAsync(snapshot.Component, cancellationToken)
            .Where(id => string.CompareOrdinal(id, snapshot.Id) < 0).ToListAsync(cancellationToken).ConfigureAwait(false);
        var doubted = suspicions.Open(snapshot.Component).Select(s => s.SnapshotId).FirstOrDefault();
        var newest = ids.Where(id => doubted is null || string.CompareOrdinal(id, doubted) < 0).TakeLast(count).ToList();
        var found = new Snapshot?[newest.Count];
        await Parallel.ForEachAsync(
            Enumerable.Range(0, newest.Count), new ParallelOptions { MaxDegreeOfParallelism = Readers, CancellationToken = cancellationToken },
            async (i, token) =>
            {
                try
                {
                    found[i] = await repository.Snapshots.FindAsync(newest[i], token).ConfigureAwait(false);
                }
                catch (DamageException)
                {
                    found[i] = null; // verification names it
                }
            }).ConfigureAwait(false);
        // What is usual for a host that takes everything anew is not what is usual for another.
        return [.. found.OfType<Snapshot>().Where(s => s.Writer == snapshot.Writer)];
    }
}
