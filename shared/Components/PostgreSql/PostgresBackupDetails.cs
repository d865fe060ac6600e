using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.PostgreSql;

/// <summary>
/// The <c>details</c> of a PostgreSQL snapshot. Its catalog has the data directory under <c>pgdata/</c> (with <c>backup_label</c>, without
/// the contents of <c>pg_wal</c>) and each tablespace's contents under <c>pg_tblspc/OID/</c>; the links <c>pgdata/pg_tblspc/OID</c> are not
/// stored but made at restore.
/// </summary>
public sealed record PostgresBackupDetails
{
    /// <summary>Decimal, as pg_control_system() prints it.</summary>
    public required string SystemIdentifier { get; init; }

    /// <summary><c>server_version_num</c>: 150018, 170004.</summary>
    public required int ServerVersion { get; init; }

    public required uint Timeline { get; init; }

    /// <summary>Where replay begins (REDO location of the starting checkpoint).</summary>
    public required string StartLsn { get; init; }

    /// <summary>Where the copy is consistent.</summary>
    public required string StopLsn { get; init; }

    /// <summary>The server's clock at start and stop.</summary>
    public required DateTimeOffset StartTime { get; init; }

    public required DateTimeOffset StopTime { get; init; }

    public required int WalSegmentSize { get; init; }

    /// <summary>Bytes per page: 8192 unless the server was built otherwise.</summary>
    public int BlockSize { get; init; } = 8192;

    public bool DataChecksums { get; init; }

    /// <summary><c>replication</c> or <c>direct</c>.</summary>
    public required string Mode { get; init; }

    public IReadOnlyList<PostgresTablespace> Tablespaces { get; init; } = [];

    /// <summary>Taken from a server in recovery: there is no WAL switch at its end.</summary>
    public bool FromStandby { get; init; }

    /// <summary>
    /// How an incremental backup knew what changed: <c>wal-summaries</c>, <c>modification-times</c> (of files), <c>page-lsns</c> (times of
    /// files, and within a changed file the LSNs of its pages), <c>server</c> (BASE_BACKUP INCREMENTAL) or <c>all-read</c> (nothing could be
    /// relied on; only deduplication made it small). Null for a full one.
    /// </summary>
    public string? IncrementalMethod { get; init; }

    /// <summary>
    /// Direct mode: a file that was modified before this instant, nanoseconds since 1970-01-01 UTC by the file system's clock, was completely
    /// written when it was read, so that its time identifies its content. Null: nothing is known.
    /// </summary>
    public long? SettledBeforeNanoseconds { get; init; }

    /// <summary>Direct mode, not on a standby: what the next backup must find again to rely on the LSNs of pages. Null: nothing is known.</summary>
    public PostgresContinuity? Continuity { get; init; }

    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web);

    public JsonObject ToJson() => JsonSerializer.SerializeToNode(this, Options)!.AsObject();

    /// <exception cref="JsonException">The record is not one of a PostgreSQL snapshot.</exception>
    public static PostgresBackupDetails FromJson(JsonObject? details) =>
        details?.Deserialize<PostgresBackupDetails>(Options) ?? throw new JsonException("The snapshot has no PostgreSQL details.");
}

/// <summary>A tablespace outside the data directory.</summary>
public sealed record PostgresTablespace(uint Oid, string Location);
