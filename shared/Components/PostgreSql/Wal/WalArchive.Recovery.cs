using FunctionsBackup.Components.PostgreSql.Wal.Recovery;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Wal;

public sealed partial class WalArchive
{
    internal ulong SystemNumber => _system;

    /// <summary>
    /// What can be reached from a base backup by following <paramref name="timeline"/> (null: the latest): see <see
    /// cref="RecoveryWindow"/>.
    /// </summary>
    /// <exception cref="UnreachableTargetException">The timeline does not come from the backup's.</exception>
    public ValueTask<RecoveryWindow> FindWindowAsync(PostgresBackupDetails backup, uint? timeline, CancellationToken cancellationToken) =>
        FindWindowAsync(backup, timeline, deep: false, cancellationToken);

    /// <param name="backup">The base backup.</param>
    /// <param name="timeline">Which timeline to follow; null: the newest that comes from the backup's.</param>
    /// <param name="deep">Read and decode every segment, not only what was noted of it when it was archived.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<RecoveryWindow> FindWindowAsync(
        PostgresBackupDetails backup, uint? timeline, bool deep, CancellationToken cancellationToken)
    {
        var inventory = await LoadInventoryAsync(backup.WalSegmentSize, cancellationToken);
        var path = await FindPathAsync(inventory, backup, timeline, cancellationToken);
        return (await WalkAsync(inventory, path, backup, null, deep, cancellationToken)).Window;
    }

    /// <summary>Where recovery from a base backup to a target will stop.</summary>
    /// <exception cref="UnreachableTargetException">It cannot; the message says what window there is.</exception>
    public async ValueTask<ResolvedTarget> ResolveTargetAsync(
        PostgresBackupDetails backup, RecoveryTarget target, uint? timeline, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(target);
        var inventory = await LoadInventoryAsync(backup.WalSegmentSize, cancellationToken);
        var path = await FindPathAsync(inventory, backup, timeline, cancellationToken);
        var begin = Lsn.Parse(backup.StopLsn);
        var (window, found) = await WalkAsync(inventory, path, backup, target, false, cancellationToken);
        // What was committed while the backup ran is in it, so an earlier time cannot be had from it.
        var isEarly = target switch
        {
            RecoveryTarget.AtLsn lsn => lsn.Lsn < begin,
            RecoveryTarget.AtTime at => at.Time < backup.StopTime,
            _ => false,
        };
        if (found is { } match && match.Record >= begin && !isEarly)
            return new ResolvedTarget(path.Timeline, match.Stop, false, match.LastCommit);

        if (found is not null || isEarly)
        {
            window = (await WalkAsync(inventory, path, backup, null, false, cancellationToken)).Window;
            throw new UnreachableTargetException(
                $"The {TargetMatch.Describe(target)} lies before the end of the base backup; this one reaches {window.Describe()}. "
                    + "Choose an earlier backup, or a target in that window.",
                window);
        }

        if (window.EndLsn >= begin && TargetMatch.IsAtEnd(target, window))
            return new ResolvedTarget(path.Timeline, window.EndLsn, true, window.EndTime);
        var why = window.Gap is { } gap ? $" {gap}" : "";
        throw new UnreachableTargetException(
            $"The {TargetMatch.Describe(target)} is not in the archived WAL, which reaches {window.Describe()}.{why} Choose a target "
                + "in that window.", window);
    }

    internal ValueTask<WalInventory> LoadInventoryAsync(int segmentSize, CancellationToken cancellationToken) =>
        WalInventory.LoadAsync(_store, _names, segmentSize, cancellationToken);

    private async ValueTask<(RecoveryWindow Window, (Lsn Record, Lsn Stop, DateTimeOffset? LastCommit)? Found)> WalkAsync(
        WalInventory inventory, TimelineHistory path, PostgresBackupDetails backup, RecoveryTarget? target, bool deep,
        CancellationToken cancellationToken)
    {
        var walk = new WalWalk(this, inventory, path, backup.WalSegmentSize, deep);
        var recovery = new RecoveryWalk(walk, backup, path);
        if (await recovery.RunAsync(target, cancellationToken) is { } found) return (recovery.Window, found);
        var gap = DescribeGap(inventory, path, walk, backup.WalSegmentSize);
        return (recovery.Window with { Gap = gap }, null);
    }

    /// <summary>The sentence on what keeps recovery from later WAL, or null if there is none.</summary>
    private static string? DescribeGap(WalInventory inventory, TimelineHistory path, WalWalk walk, int segmentSize)
    {
        var later = inventory.FirstAtOrAfter(path, walk.EndedAt);
        if (walk.Problem is { } problem) return walk.Damage is not null || later is not null ? problem : null;
        if (later is not { } next) return null;
        if (walk.Unfinished is { } part)
            return $"WAL segment {part.Name} is archived only up to LSN {part.At}, though later ones (from LSN {next}) are.";
        var missing = WalSegmentName.Containing(path.At(walk.EndedAt), walk.EndedAt, segmentSize);
        return $"WAL segment {missing} is not archived, though later ones (from LSN {next}) are.";
    }

    private async ValueTask<TimelineHistory> FindPathAsync(
        WalInventory inventory, PostgresBackupDetails backup, uint? timeline, CancellationToken cancellationToken)
    {
        var stop = Lsn.Parse(backup.StopLsn);
        if (timeline is { } asked)
        {
            var history = await GetHistoryAsync(asked, cancellationToken);
            if (ComesFrom(history)) return history;
            throw new UnreachableTargetException(
                $"Timeline {asked} does not come from timeline {backup.Timeline} at or after the end of the base backup (LSN {stop}). "
                    + "Choose another backup or another timeline.",
                null);
        }

        foreach (var candidate in inventory.Histories.Reverse())
        {
            if (candidate <= backup.Timeline) break;
            var history = await GetHistoryAsync(candidate, cancellationToken);
            if (ComesFrom(history)) return history;
        }

        return await GetHistoryAsync(backup.Timeline, cancellationToken);

        bool ComesFrom(TimelineHistory history) =>
            history.Timeline == backup.Timeline || (history.SwitchedFrom(backup.Timeline) is { } left && left >= stop);
    }

    /// <summary>A segment that is known to be there.</summary>
    /// <exception cref="DamageException">It is not.</exception>
    internal async ValueTask<WalSegmentContent> ReadSegmentAsync(WalSegmentName name, CancellationToken cancellationToken) =>
        await FetchSegmentAsync(name, cancellationToken)
        ?? throw new DamageException(
            _names.Segment(name), $"WAL segment {name} was archived and is gone; repair the repository from a replica.");
}
