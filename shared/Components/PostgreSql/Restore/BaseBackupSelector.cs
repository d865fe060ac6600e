using System.Text.Json;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>A base backup, and where recovery from it ends.</summary>
/// <param name="Snapshot">The recovery point.</param>
/// <param name="Details">Its PostgreSQL facts.</param>
/// <param name="Window">What its WAL can reach.</param>
/// <param name="Resolved">For a goal with a target: where that is.</param>
public sealed record SelectedBackup(Snapshot Snapshot, PostgresBackupDetails Details, RecoveryWindow Window, ResolvedTarget? Resolved);

/// <summary>Chooses the base backup to restore: the one named, or the newest from which the goal can be reached.</summary>
public sealed class BaseBackupSelector(BackupRepository repository)
{
    /// <exception cref="SnapshotNotFoundException">There is no such snapshot, or none of the component.</exception>
    /// <exception cref="UnreachableTargetException">The target is outside what can be reached; the message has the window.</exception>
    public async ValueTask<SelectedBackup> SelectAsync(PostgresRestoreOptions options, CancellationToken cancellationToken)
    {
        if (options.SnapshotId is { } id && id != "latest")
        {
            var named = await repository.GetSnapshotAsync(id, options.Component, cancellationToken).ConfigureAwait(false);
            return await ExamineAsync(named, options, cancellationToken).ConfigureAwait(false);
        }

        var candidates = await ListNewestFirstAsync(options.Component, cancellationToken).ConfigureAwait(false);
        if (options.Goal is not RestoreGoal.ToTarget goal) return await ExamineAsync(candidates[0], options, cancellationToken).ConfigureAwait(false);

        UnreachableTargetException? nearest = null;
        foreach (var candidate in candidates)
        {
            if (!MayReach(candidate, goal.Target)) continue;
            try
            {
                return await ExamineAsync(candidate, options, cancellationToken).ConfigureAwait(false);
            }
            catch (UnreachableTargetException e)
            {
                // The newest that comes into question explains best; an older one may still reach over the gap or along another timeline.
                nearest ??= e;
            }
        }

        if (nearest is not null) throw nearest;

        // All base backups end after the target: the oldest one says since when recovery is possible.
        return await ExamineAsync(candidates[^1], options, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<IReadOnlyList<Snapshot>> ListNewestFirstAsync(string component, CancellationToken cancellationToken)
    {
        var all = new List<Snapshot>();
        await foreach (var snapshot in repository.ListSnapshotsAsync(component, cancellationToken).ConfigureAwait(false)) all.Add(snapshot);
        // Logical ones among them go into a server; if there are no others, what is chosen says so.
        if (all.Exists(s => !IsLogical(s))) all.RemoveAll(IsLogical);
        if (all.Count == 0)
            throw new SnapshotNotFoundException($"The repository has no recovery point of {component}; 'backup list' shows what it has.");

        // Ids sort by second; two short backups may share one.
        return [.. all.OrderByDescending(static snapshot => snapshot.CompletedAt)];
    }

    private static bool IsLogical(Snapshot snapshot) => Logical.LogicalBackupDetails.FromJson(snapshot.Details) is not null;

    private async ValueTask<SelectedBackup> ExamineAsync(Snapshot snapshot, PostgresRestoreOptions options, CancellationToken cancellationToken)
    {
        var details = DetailsOf(snapshot);
        var archive = new WalArchive(repository, details.SystemIdentifier);
        var timeline = options.Timeline.For(details);
        ResolvedTarget? resolved = null;
        if (options.Goal is RestoreGoal.ToTarget goal)
            resolved = await archive.ResolveTargetAsync(details, goal.Target, timeline, cancellationToken).ConfigureAwait(false);
        var window = await archive.FindWindowAsync(details, resolved?.Timeline ?? timeline, cancellationToken).ConfigureAwait(false);
        return new SelectedBackup(snapshot, details, window, resolved);
    }

    /// <summary>Whether the snapshot ends before the target, as far as that can be told without reading WAL.</summary>
    private static bool MayReach(Snapshot snapshot, RecoveryTarget target)
    {
        var details = DetailsOf(snapshot);
        return target switch
        {
            RecoveryTarget.AtTime time => details.StopTime <= time.Time,
            RecoveryTarget.AtLsn lsn => Lsn.Parse(details.StopLsn) <= lsn.Lsn,
            _ => true,
        };
    }

    private static PostgresBackupDetails DetailsOf(Snapshot snapshot)
    {
        try
        {
            return PostgresBackupDetails.FromJson(snapshot.Details);
        }
        catch (JsonException e)
        {
            throw new RestoreRefusedException(
                Logical.LogicalBackupDetails.FromJson(snapshot.Details) is not null
                    ? $"{snapshot.Id} is a logical backup, which goes into a server that runs; restore it with --target server, or --target env:NAME with the connection of another."
                    : $"Snapshot {snapshot.Id} is not a PostgreSQL base backup: {e.Message}");
        }
    }
}
