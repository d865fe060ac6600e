namespace FunctionsBackup.Components.PostgreSql.Wal.Recovery;

/// <summary>Follows the WAL of one base backup to a target or to its end, and keeps account of the window on the way.</summary>
internal sealed class RecoveryWalk(WalWalk walk, PostgresBackupDetails backup, TimelineHistory path)
{
    private readonly Lsn _begin = Lsn.Parse(backup.StopLsn);
    private readonly int _segmentSize = backup.WalSegmentSize;
    private DateTimeOffset? _lastCommit, _latestTime;
    private Lsn? _end;
    private long _segments;

    /// <summary>The window, whole after <see cref="RunAsync"/> found nothing.</summary>
    public RecoveryWindow Window { get; private set; } = null!;

    /// <returns>Where the target is, or null if the WAL ends before it; its record may lie before the window.</returns>
    public async ValueTask<(Lsn Record, Lsn Stop, DateTimeOffset? LastCommit)?> RunAsync(
        RecoveryTarget? target, CancellationToken cancellationToken)
    {
        WalStep? last = null;
        var wasRead = false;
        await foreach (var step in walk.RunAsync(Lsn.Parse(backup.StartLsn), cancellationToken))
        {
            _segments++;
            last = step;
            var segmentEnd = step.Start + (ulong)_segmentSize;
            var isUnclear = step.MustRead || !step.Stop.IsComplete || Fork(step) < segmentEnd;
            var isCandidate = target is not null && (isUnclear || TargetMatch.MayBeIn(target, step.Facts, segmentEnd));
            wasRead = isCandidate || (segmentEnd > _begin && (isUnclear || step.Start <= _begin));
            if (!wasRead)
            {
                if (segmentEnd > _begin) Note(step.Facts.LastCommit, step.Facts.LatestTime);
                continue;
            }

            if (await ReadAsync(step, target, cancellationToken) is { } found) return found;
        }

        // The end is wanted exactly: where the last record ends that goes over a border, no facts tell.
        if (last is not null && !wasRead && await ReadAsync(last, target, cancellationToken) is { } late) return late;
        var end = _end ?? walk.End ?? Lsn.Parse(backup.StartLsn);
        // A segment taken from the timeline that was left, for want of the other one, leads only to the fork.
        if (last is not null && Fork(last) < end) end = Fork(last);
        Window = new RecoveryWindow(path.Timeline, _begin, backup.StopTime, end, _lastCommit, null)
        {
            KnownUntil = _latestTime,
            Segments = _segments,
            EndReason = walk.Problem,
        };
        return null;
    }

    private async ValueTask<(Lsn Record, Lsn Stop, DateTimeOffset? LastCommit)?> ReadAsync(
        WalStep step, RecoveryTarget? target, CancellationToken cancellationToken)
    {
        var (events, end) = await step.ReadAsync(_segmentSize, (target as RecoveryTarget.AtLsn)?.Lsn, cancellationToken);
        events.Forget(Fork(step));
        var found = target is null ? null : TargetMatch.Find(target, events);
        foreach (var transaction in events.Transactions)
            if (transaction.Committed && transaction.Start >= _begin && (found is null || transaction.End <= found.Value.Stop))
                _lastCommit = transaction.Time;
        if (found is { } match) return (match.Record, match.Stop, _lastCommit);
        if (step.Start + (ulong)_segmentSize > _begin) Note(null, events.LatestTime);
        _end = end ?? _end;
        return null;
    }

    private Lsn Fork(WalStep step) => path.SwitchedFrom(step.Name.Timeline) ?? new Lsn(ulong.MaxValue);

    private void Note(DateTimeOffset? lastCommit, DateTimeOffset? latestTime)
    {
        _lastCommit = lastCommit ?? _lastCommit;
        if (latestTime is { } time && (_latestTime is null || time > _latestTime)) _latestTime = time;
    }
}
