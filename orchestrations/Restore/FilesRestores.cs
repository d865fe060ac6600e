using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>What restores of files have in common: which snapshot, and what goes where.</summary>
public static class FilesRestores
{
    /// <summary>Where each protected path of the snapshot goes.</summary>
    /// <exception cref="RepositoryException">It does not say which paths it holds.</exception>
    public static IReadOnlyList<RestoreRoot> Roots(Snapshot snapshot, string target) =>
        FilesBackupDetails.FromJson(snapshot.Details) is { } details
            ? [.. details.Paths.Keys.Concat(details.Sources).Select(name => new RestoreRoot(name, Path.Combine(target, name)))]
            : throw new RepositoryException($"{snapshot.Id} does not say which paths it holds; was it taken by a newer version?");

    /// <summary>The snapshot by its id, a unique beginning or <c>latest</c>; with a time, the newest that was complete by then; or the newest before an anomaly.</summary>
    /// <exception cref="SnapshotNotFoundException">There is none.</exception>
    public static async ValueTask<Snapshot> FindAsync(
        BackupRepository repository, RestoreRequest request, CancellationToken cancellationToken)
    {
        var (component, point, at) = (request.Component, request.Point, request.ToTime);
        if (request.BeforeAnomaly) return await CleanPoints.FindAsync(repository, component, at, cancellationToken);
        if (at is not { } time) return await repository.GetSnapshotAsync(point, component, cancellationToken);
        Snapshot? newest = null;
        await foreach (var snapshot in repository.ListSnapshotsAsync(component, cancellationToken))
            if (snapshot.CompletedAt <= time) newest = snapshot;
        return newest ?? throw new SnapshotNotFoundException(
            $"There is no recovery point of {component} at or before {Human.Moment(time)}; 'fbackup backup list --type {component}' shows what there is.");
    }
}
