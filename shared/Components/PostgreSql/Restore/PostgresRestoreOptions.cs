namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>What to restore, to where, and up to which point.</summary>
/// <param name="TargetDirectory">The data directory, absolute. Missing or empty unless <see cref="Delta"/> or <see cref="Overwrite"/>.</param>
public sealed record PostgresRestoreOptions(string TargetDirectory)
{
    public string Component { get; init; } = "postgres";

    /// <summary>A snapshot's id (or a unique beginning). Null or <c>latest</c>: the newest that ends before the goal.</summary>
    public string? SnapshotId { get; init; }

    public RestoreGoal Goal { get; init; } = RestoreGoal.Latest;

    public TimelineChoice Timeline { get; init; }

    /// <summary>Ignored by PostgreSQL when recovery goes to the end of the WAL: the server is then promoted.</summary>
    public RecoveryAction Action { get; init; }

    /// <summary>A tablespace that has no mapping goes to its old place if that is missing or empty; otherwise the restore is refused.</summary>
    public IReadOnlyList<TablespaceMapping> TablespaceMappings { get; init; } = [];

    /// <summary>
    /// Change a data directory in place, writing only what differs and removing what the backup does not have. The directory must be of the
    /// same cluster.
    /// </summary>
    public bool Delta { get; init; }

    /// <summary>As <see cref="Delta"/>, and the directory may be of another cluster or version.</summary>
    public bool Overwrite { get; init; }

    public int Parallelism { get; init; } = 2;

    /// <summary>
    /// The server's restore_command, complete, with <c>%f</c> and <c>%p</c>. Null: the WAL that recovery needs is put into <c>pg_wal</c>, and
    /// the server needs no access to the repository.
    /// </summary>
    public string? RestoreCommand { get; init; }

    /// <summary>Leave nothing in postgresql.auto.conf but the recovery: for a throw-away copy that must not act as its original does.</summary>
    internal bool DropOtherSettings { get; init; }

    /// <summary>Time allowed by the objective (RTO), for the verdict of the plan.</summary>
    public TimeSpan? Objective { get; init; }
}
