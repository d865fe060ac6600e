using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Components.PostgreSql.Wal.Recovery;

/// <summary>What one segment holds that matters to recovery, in order; a record belongs to the segment in which it ends.</summary>
/// <param name="from">Records that end at or before this are of the segment before, and not kept.</param>
/// <param name="recordFrom">The first record that begins at or after this is noted.</param>
internal sealed class WalEventLog(Lsn from, Lsn? recordFrom) : IWalVisitor
{
    public List<WalTransaction> Transactions { get; } = [];

    public List<WalRestorePoint> RestorePoints { get; } = [];

    public DateTimeOffset? LatestTime { get; private set; }

    /// <summary>Start and end of the record asked for, or null if none begins so late.</summary>
    public (Lsn Start, Lsn End)? Record { get; private set; }

    /// <summary>Leaves out what begins at or after a fork: it is not on the way.</summary>
    public void Forget(Lsn fork)
    {
        var count = Transactions.RemoveAll(t => t.Start >= fork) + RestorePoints.RemoveAll(p => p.Start >= fork);
        if (Record?.Start >= fork) Record = null;
        if (count > 0) LatestTime = Transactions.Select(t => t.Time).Concat(RestorePoints.Select(p => p.Time)).Cast<DateTimeOffset?>().Max();
    }

    public bool WantsRecords => recordFrom is not null;

    public void OnRecord(Lsn start, Lsn end)
    {
        if (Record is null && start >= recordFrom!.Value) Record = (start, end);
    }

    public void OnTransaction(in WalTransaction transaction)
    {
        if (transaction.End <= from) return;
        Transactions.Add(transaction);
        Note(transaction.Time);
    }

    public void OnRestorePoint(in WalRestorePoint point)
    {
        if (point.End <= from) return;
        RestorePoints.Add(point);
        Note(point.Time);
    }

    public void OnCheckpoint(in WalCheckpoint checkpoint)
    {
        if (checkpoint.End > from) Note(checkpoint.Time);
    }

    public void OnTimelineChange(in WalTimelineChange change)
    {
        if (change.End > from) Note(change.Time);
    }

    private void Note(DateTimeOffset time)
    {
        if (LatestTime is null || time > LatestTime) LatestTime = time;
    }
}
