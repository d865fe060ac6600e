namespace FunctionsBackup.Operations.Audit;

/// <summary>
/// The record of who did what, from where, on what, and how it ended. Entries are durable on this machine at once and go to the repository's
/// append-only log with the next segment (docs/audit.md). Trouble with the log fails nothing: it is warned of, and entries wait. Safe for
/// concurrent use.
/// </summary>
public interface IAuditLog
{
    /// <summary>Notes an entry; durable on this machine when it returns. Cannot be cancelled: what happened is noted, whoever lost patience.</summary>
    ValueTask RecordAsync(AuditEntry entry);

    /// <summary>Writes what waits into the repository.</summary>
    /// <returns>False: something still waits, for a reason that was warned of.</returns>
    ValueTask<bool> FlushAsync(CancellationToken cancellationToken);
}
