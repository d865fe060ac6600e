using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Components.PostgreSql.Wal.Recovery;

/// <summary>
/// Finds the record at which a server would stop, by the rules of recoveryStopsBefore and recoveryStopsAfter (xlogrecovery.c).
/// </summary>
internal static class TargetMatch
{
    /// <summary>Whether a segment may hold that record; only its facts are known.</summary>
    public static bool MayBeIn(RecoveryTarget target, WalSegmentFacts facts, Lsn segmentEnd) => target switch
    {
        RecoveryTarget.AtTime time => facts.LatestTransaction is { } latest && Passes(time, latest),
        RecoveryTarget.AtLsn lsn => segmentEnd > lsn.Lsn,
        RecoveryTarget.AtName name => facts.MoreRestorePoints || facts.RestorePoints.Any(p => p.Name == name.Name),
        RecoveryTarget.AtXid xid => facts.MinimumXid <= xid.Xid && xid.Xid <= facts.MaximumXid,
        _ => false,
    };

    /// <summary>Where the record begins, and the LSN up to which a server replays; null: it is not in this segment.</summary>
    public static (Lsn Record, Lsn Stop)? Find(RecoveryTarget target, WalEventLog events)
    {
        switch (target)
        {
            case RecoveryTarget.AtTime time:
                foreach (var transaction in events.Transactions)
                    if (Passes(time, transaction.Time)) return (transaction.Start, transaction.Start);
                return null;
            case RecoveryTarget.AtLsn lsn:
                return events.Record is { } record ? (record.Start, lsn.Inclusive ? record.End : record.Start) : null;
            case RecoveryTarget.AtName name:
                foreach (var point in events.RestorePoints)
                    if (point.Name == name.Name) return (point.Start, point.End);
                return null;
            case RecoveryTarget.AtXid xid:
                foreach (var transaction in events.Transactions)
                    if (transaction.Xid == xid.Xid) return (transaction.Start, xid.Inclusive ? transaction.End : transaction.Start);
                return null;
            default:
                return null;
        }
    }

    /// <summary>Whether no later record can change what the target means, though none confirms it.</summary>
    public static bool IsAtEnd(RecoveryTarget target, RecoveryWindow window) => target switch
    {
        RecoveryTarget.AtTime time => window.KnownUntil >= time.Time,
        RecoveryTarget.AtLsn lsn => lsn.Lsn <= window.EndLsn && !lsn.Inclusive,
        _ => false,
    };

    public static string Describe(RecoveryTarget target) => target switch
    {
        RecoveryTarget.AtTime time => $"time {RecoveryWindow.Format(time.Time)}",
        RecoveryTarget.AtLsn lsn => $"LSN {lsn.Lsn}",
        RecoveryTarget.AtName name => $"restore point '{name.Name}'",
        RecoveryTarget.AtXid xid => $"transaction {xid.Xid}",
        _ => "target",
    };

    private static bool Passes(RecoveryTarget.AtTime target, DateTimeOffset time) =>
        target.Inclusive ? time > target.Time : time >= target.Time;
}
