using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>What a restore would do. Nothing has been changed.</summary>
public sealed record PostgresRestorePlan
{
    public required Snapshot Snapshot { get; init; }

    public required PostgresBackupDetails Details { get; init; }

    public required RestoreGoal Goal { get; init; }

    /// <summary>What can be reached from this base backup.</summary>
    public required RecoveryWindow Window { get; init; }

    /// <summary>Where recovery will stop.</summary>
    public required Lsn StopLsn { get; init; }

    /// <summary>The timeline that is followed.</summary>
    public required uint Timeline { get; init; }

    /// <summary>Commit time of the last transaction that will be there, if the WAL after the base backup has one.</summary>
    public DateTimeOffset? LastCommit { get; init; }

    public required RestoreLayout Layout { get; init; }

    /// <summary>A data directory is there and will be changed in place.</summary>
    public required bool InPlace { get; init; }

    public required long Files { get; init; }

    /// <summary>Bytes of the data directory and the tablespaces.</summary>
    public required long Bytes { get; init; }

    /// <summary>Bytes to fetch from the store for them; a delta restore fetches less.</summary>
    public required long StoredBytes { get; init; }

    /// <summary>Requests to the store for them.</summary>
    public required long Requests { get; init; }

    /// <summary>Bytes of WAL to replay.</summary>
    public required long WalBytes { get; init; }

    /// <summary>See <see cref="RestoreEstimator"/>.</summary>
    public required TimeSpan Estimate { get; init; }

    /// <summary>What <see cref="Estimate"/> rests on, in words.</summary>
    public required string EstimateOrigin { get; init; }

    /// <summary>Time allowed, if an objective was given.</summary>
    public TimeSpan? Objective { get; init; }

    /// <summary>Whether the estimate is within the objective; null without one.</summary>
    public bool? MeetsObjective => Objective is { } allowed ? Estimate <= allowed : null;

    /// <summary>One sentence each: what the reader must know before he goes on.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>What a restore did. The server can be started; recovery then runs by itself.</summary>
/// <param name="Plan">What was planned, and is so.</param>
/// <param name="Files">Files in place, changed or not.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="WrittenBytes">Bytes that had to be written.</param>
/// <param name="WalBytes">Bytes of WAL put into pg_wal; 0 with a restore_command.</param>
/// <param name="Duration">Wall time.</param>
/// <param name="Warnings">One sentence each.</param>
public sealed record PostgresRestoreReport(
    PostgresRestorePlan Plan, long Files, long Bytes, long WrittenBytes, long WalBytes, TimeSpan Duration, IReadOnlyList<string> Warnings);
