using FunctionsBackup.Repository.Runs;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>How the data directory is read.</summary>
public enum PostgresBackupMode
{
    /// <summary>Direct when <see cref="PostgresBackupOptions.DataDirectory"/> is set and readable, replication otherwise.</summary>
    Auto,

    /// <summary>BASE_BACKUP over the replication protocol.</summary>
    Replication,

    /// <summary>pg_backup_start/stop and reading the files beside the server.</summary>
    Direct,
}

/// <summary>What to back up.</summary>
/// <param name="ConnectionString">Npgsql form or <c>postgresql://</c> URI. May hold a secret: never logged.</param>
public sealed record PostgresBackupOptions(string ConnectionString)
{
    public string Component { get; init; } = "postgres";

    public string? DataDirectory { get; init; }

    public PostgresBackupMode Mode { get; init; }

    /// <summary>Take everything anew, whatever an earlier backup holds.</summary>
    public bool Full { get; init; }

    /// <summary>Checkpoint at once instead of spread out.</summary>
    public bool FastCheckpoint { get; init; } = true;

    public int Parallelism { get; init; } = 2;

    /// <summary>The unit of a run that the backup is: it ends with a part of the run instead of a recovery point.</summary>
    public RunUnit? Unit { get; init; }

    /// <summary>Leaves the secret out.</summary>
    public override string ToString() => $"{Component}, {Mode}, {DataDirectory ?? "no data directory"}";
}
