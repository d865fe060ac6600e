namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>Where recovery shall stop (PostgreSQL manual, 20.5.6 Recovery Target).</summary>
public abstract record RecoveryTarget
{
    private RecoveryTarget()
    {
    }

    /// <summary>After the last transaction that ended at or before this time; exclusive: before.</summary>
    public sealed record AtTime(DateTimeOffset Time, bool Inclusive = true) : RecoveryTarget;

    /// <summary>
    /// Exclusive (the default here): all records that begin before it are replayed, so that what <c>pg_current_wal_lsn()</c> gave lands
    /// exactly. Inclusive, which is what recovery_target_inclusive gives: also the first record that begins at or after it.
    /// </summary>
    public sealed record AtLsn(Lsn Lsn, bool Inclusive = false) : RecoveryTarget;

    /// <summary>A point made by pg_create_restore_point.</summary>
    public sealed record AtName(string Name) : RecoveryTarget;

    /// <summary>The end of this transaction; exclusive: just before it.</summary>
    public sealed record AtXid(uint Xid, bool Inclusive = true) : RecoveryTarget;
}

/// <summary>Where recovery to a target will stop.</summary>
/// <param name="Timeline">The timeline to follow.</param>
/// <param name="StopLsn">Everything before this is replayed, nothing after it.</param>
/// <param name="IsEndOfWal">
/// The target lies at the very end of the archived WAL: recover to the end without a target, for the server would refuse one that no
/// later record confirms.
/// </param>
/// <param name="LastCommit">Commit time of the last transaction replayed; null if there is none after the base backup.</param>
public sealed record ResolvedTarget(uint Timeline, Lsn StopLsn, bool IsEndOfWal, DateTimeOffset? LastCommit);
