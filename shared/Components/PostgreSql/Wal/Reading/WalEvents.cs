namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// The end of a transaction: a commit or abort record, also of a prepared transaction (then with the prepared one's xid).
/// </summary>
/// <param name="Start">Where the record begins.</param>
/// <param name="End">Where the next one may begin.</param>
/// <param name="Xid">The transaction.</param>
/// <param name="Time">The server's clock at the commit or abort; microseconds.</param>
/// <param name="Committed">False: aborted.</param>
public readonly record struct WalTransaction(Lsn Start, Lsn End, uint Xid, DateTimeOffset Time, bool Committed);

/// <summary>pg_create_restore_point.</summary>
public readonly record struct WalRestorePoint(Lsn Start, Lsn End, string Name, DateTimeOffset Time);

/// <summary>A checkpoint record; <see cref="Time"/> is when the checkpoint began, in whole seconds.</summary>
public readonly record struct WalCheckpoint(
    Lsn Start, Lsn End, Lsn Redo, uint Timeline, uint PreviousTimeline, DateTimeOffset Time, bool IsShutdown);

/// <summary>The end of an archive recovery: from here on, another timeline.</summary>
public readonly record struct WalTimelineChange(Lsn Start, Lsn End, uint Timeline, uint PreviousTimeline, DateTimeOffset Time);

/// <summary>Is told of the records that matter to recovery, in order.</summary>
public interface IWalVisitor
{
    /// <summary>Whether <see cref="OnRecord"/> is wanted at all: it is asked for every record.</summary>
    bool WantsRecords => false;

    /// <summary>Any whole record, before what it says is told.</summary>
    void OnRecord(Lsn start, Lsn end)
    {
    }

    void OnTransaction(in WalTransaction transaction);

    void OnRestorePoint(in WalRestorePoint point);

    void OnCheckpoint(in WalCheckpoint checkpoint);

    void OnTimelineChange(in WalTimelineChange change);
}
