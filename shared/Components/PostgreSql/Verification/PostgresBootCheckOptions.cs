using FunctionsBackup.Components.PostgreSql.Restore;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>A statement whose result is known.</summary>
/// <param name="Database">Where to run it.</param>
/// <param name="Sql">One statement.</param>
/// <param name="Expected">
/// The first column of the first row, as text; null: the statement must only succeed and give a row whose first column is not false or null.
/// </param>
public sealed record RowCheck(string Database, string Sql, string? Expected);

/// <summary>How a base backup is proven by booting it.</summary>
public sealed record PostgresBootCheckOptions
{
    public string Component { get; init; } = "postgres";

    /// <summary>A snapshot's id, a unique beginning of it, or <c>latest</c>.</summary>
    public string SnapshotId { get; init; } = "latest";

    /// <summary>How far to recover: <see cref="RestoreGoal.Immediate"/> proves the base backup, <see cref="RestoreGoal.Latest"/> all WAL too.</summary>
    public RestoreGoal Goal { get; init; } = RestoreGoal.Immediate;

    /// <summary>Directory with room for a whole copy; null: <c>FBACKUP_SCRATCH</c>, or the system's temporary directory.</summary>
    public string? ScratchParent { get; init; }

    /// <summary>Directories with server programs, looked at before the usual ones: see <see cref="PostgresBinaries"/>.</summary>
    public IReadOnlyList<string> BinaryDirectories { get; init; } = [];

    /// <summary>A superuser of the cluster.</summary>
    public string Superuser { get; init; } = "postgres";

    /// <summary>Libraries to preload: only needed where an extension writes WAL of its own (custom resource managers, from 15 on).</summary>
    public string PreloadLibraries { get; init; } = "";

    /// <summary>How long recovery may take.</summary>
    public TimeSpan RecoveryTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>Check tables and B-tree indexes with pg_amcheck, each heap tuple against its indexes.</summary>
    public bool Amcheck { get; init; } = true;

    public IReadOnlyList<RowCheck> RowChecks { get; init; } = [];

    public int Parallelism { get; init; } = 2;
}
