using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Anomalies;

/// <summary>Finds recovery points from before what is suspicious.</summary>
public static class CleanPoints
{
    public static ValueTask<Suspicions> SuspicionsAsync(BackupRepository repository, string? component, CancellationToken cancellationToken) =>
        new AnomalyStore(repository.Store, repository.Sealed).ListAsync(component, cancellationToken);

    /// <summary>The newest recovery point of a component that is beyond doubt; with a time, that was complete by then.</summary>
    /// <exception cref="SnapshotNotFoundException">There is none.</exception>
    public static async ValueTask<Snapshot> FindAsync(
        BackupRepository repository, string component, DateTimeOffset? by, CancellationToken cancellationToken)
    {
        var suspicions = await SuspicionsAsync(repository, component, cancellationToken);
        await foreach (var snapshot in repository.Snapshots.ListNewestFirstAsync(component, cancellationToken))
            if (!(snapshot.CompletedAt > by) && suspicions.IsClean(snapshot)) return snapshot;
        var when = by is { } time ? $" at or before {Human.Moment(time)}" : "";
        throw new SnapshotNotFoundException(
            $"There is no recovery point of {component}{when} from before what is suspicious; 'fbackup backup list --type {component}' shows what there is.");
    }

    /// <summary>What a restore of it should say; null: nothing.</summary>
    public static async ValueTask<string?> DoubtAsync(BackupRepository repository, string id, CancellationToken cancellationToken)
    {
        if (await repository.Snapshots.FindAsync(id, cancellationToken) is not { } snapshot) return null;
        var suspicions = await SuspicionsAsync(repository, snapshot.Component, cancellationToken);
        return suspicions.StandingOf(snapshot) switch
        {
            PointStanding.Clean => null,
            PointStanding.Suspicious => $"{id} is suspicious: {string.Join(" ", suspicions.Of(id)!.Reasons)} --before-anomaly takes the last one before it.",
            PointStanding.Rejected => $"{id} was rejected by {suspicions.Of(id)!.Decision!.By}: {suspicions.Of(id)!.Decision!.Reason}",
            _ => $"{id} was taken after one that is suspicious, and may hold the same damage; --before-anomaly takes the last one before it.",
        };
    }
}
