using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Input of <c>RestoreOrchestrator</c>. Which options have a meaning depends on the component.</summary>
public sealed record RestoreRequest
{
    /// <summary><c>postgres</c>, <c>voice_data</c>, <c>logs</c>, <c>configuration</c>, <c>livekit</c> or <c>redis</c>.</summary>
    public required string Component { get; init; }

    /// <summary>A snapshot's id, a unique beginning of it, or <c>latest</c>.</summary>
    public string Point { get; init; } = "latest";

    /// <summary>Absolute: the data directory of postgres; of files, the folder in which each protected path appears.</summary>
    public required string Target { get; init; }

    /// <summary>Read from this replica alone, as if there were no repository; null: from the repository, with its replicas behind it.</summary>
    public string? FromReplica { get; init; }

    /// <summary>Say what would be done, and change nothing.</summary>
    public bool PlanOnly { get; init; }

    /// <summary>
    /// With <c>latest</c>: the newest recovery point from before what is suspicious. A database is then recovered to its end, unless a target is
    /// named.
    /// </summary>
    public bool BeforeAnomaly { get; init; }

    /// <summary>Up to this time; of files, the newest recovery point that was complete by then.</summary>
    public DateTimeOffset? ToTime { get; init; }

    /// <summary>Postgres: up to this position, <c>16/B374D848</c>.</summary>
    public string? ToLsn { get; init; }

    /// <summary>Postgres: up to this restore point.</summary>
    public string? ToName { get; init; }

    /// <summary>Postgres: up to the end of this transaction.</summary>
    public long? ToXid { get; init; }

    /// <summary>Postgres: only to the end of the base backup.</summary>
    public bool ToBackup { get; init; }

    /// <summary>With <see cref="ToLsn"/>: also the record at that position.</summary>
    public bool Inclusive { get; init; }

    /// <summary>With <see cref="ToTime"/> or <see cref="ToXid"/>: stop just before.</summary>
    public bool Exclusive { get; init; }

    /// <summary>Postgres: <c>latest</c>, <c>current</c> or a number.</summary>
    public string Timeline { get; init; } = "latest";

    /// <summary>Postgres: <c>promote</c>, <c>pause</c> or <c>shutdown</c> when the target is reached.</summary>
    public string TargetAction { get; init; } = "promote";

    /// <summary>Postgres: <c>OLD|OID=NEW</c> each.</summary>
    public IReadOnlyList<string> TablespaceMap { get; init; } = [];

    /// <summary>Postgres: the server fetches WAL with this; null: what it needs is put into pg_wal.</summary>
    public string? RestoreCommand { get; init; }

    /// <summary>Write only what differs, in place.</summary>
    public bool Delta { get; init; }

    /// <summary>Files, with <see cref="Delta"/>: also remove what the recovery point does not have.</summary>
    public bool DeleteExtra { get; init; }

    /// <summary>What is there may be replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Files: restore beside the target and swap in when complete.</summary>
    public bool Staging { get; init; }

    /// <summary>Files: owners by the names that they had, where this machine knows them, instead of by number.</summary>
    public bool OwnersByName { get; init; }

    /// <summary>Files: globs; empty: all.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>Redis: numbers of databases; empty: all.</summary>
    public IReadOnlyList<int> Databases { get; init; } = [];

    /// <summary>Redis: keys that match this pattern, as KEYS has them; null: all.</summary>
    public string? Match { get; init; }

    /// <summary>Redis: <c>OLD=NEW</c>: keys that begin with OLD begin with NEW afterwards; null: none.</summary>
    public string? RenamePrefix { get; init; }

    /// <summary>Logical backups of postgres: names of databases, <c>OLD</c> or <c>OLD=NEW</c>; empty: all.</summary>
    public IReadOnlyList<string> DatabaseNames { get; init; } = [];

    /// <summary>Logical backups of postgres: schemas; empty: all.</summary>
    public IReadOnlyList<string> Schemas { get; init; } = [];

    /// <summary>Logical backups of postgres: tables, <c>schema.table</c>; empty: all.</summary>
    public IReadOnlyList<string> Tables { get; init; } = [];

    /// <summary>Logical backups of postgres: drop first what is there and the recovery point has.</summary>
    public bool Clean { get; init; }

    /// <summary>LiveKit and Redis: also delete what the server has and the recovery point has not. A person has approved it.</summary>
    public bool Exact { get; init; }

    /// <summary>LiveKit: start recordings again that were going on.</summary>
    public bool RestartEgress { get; init; }

    /// <summary>LiveKit: absolute path of the file that gets the map of old to new ids; null: in the folder for state.</summary>
    public string? IdMap { get; init; }

    public string? RequestedBy { get; init; }
}

/// <summary>What a restore will do, from records and the index alone.</summary>
public sealed record RestorePlanSummary
{
    public required string SnapshotId { get; init; }

    public long Files { get; init; }

    public long Bytes { get; init; }

    /// <summary>Bytes to fetch from the store.</summary>
    public long StoredBytes { get; init; }

    public long Requests { get; init; }

    /// <summary>Postgres: bytes of WAL to replay.</summary>
    public long WalBytes { get; init; }

    /// <summary>Postgres: where recovery stops.</summary>
    public string? StopLsn { get; init; }

    /// <summary>Postgres: how far it recovers, in words.</summary>
    public string? Goal { get; init; }

    /// <summary>Postgres: the timeline that it follows.</summary>
    public long? Timeline { get; init; }

    /// <summary>Postgres: the last commit up to there, as far as the WAL says.</summary>
    public DateTimeOffset? LastCommit { get; init; }

    /// <summary>Postgres: what could be reached.</summary>
    public RestoreWindow? Window { get; init; }

    /// <summary>Postgres: whether what is in the target is changed in place.</summary>
    public bool InPlace { get; init; }

    /// <summary>Postgres: the server's version, as 150018.</summary>
    public int ServerVersion { get; init; }

    public double EstimatedSeconds { get; init; }

    public double? ObjectiveSeconds { get; init; }

    public bool? MeetsObjective { get; init; }

    /// <summary>At most 20, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];
}

/// <summary>What can be reached from a base backup with the WAL that is archived.</summary>
/// <param name="BeginLsn">The end of the base backup.</param>
/// <param name="BeginTime">When that was.</param>
/// <param name="EndLsn">The end of the WAL.</param>
/// <param name="EndTime">The last commit in it, if any.</param>
/// <param name="Gap">What is missing behind the end; null if nothing is known to be.</param>
public sealed record RestoreWindow(string BeginLsn, DateTimeOffset BeginTime, string EndLsn, DateTimeOffset? EndTime, string? Gap);

/// <summary>Output of <c>RestoreOrchestrator</c>.</summary>
public sealed record RestoreResult
{
    public required RunOutcome Outcome { get; init; }

    public int ExitCode { get; init; }

    public RestorePlanSummary? Plan { get; init; }

    public long Files { get; init; }

    public long Bytes { get; init; }

    public long WrittenBytes { get; init; }

    public long WalBytes { get; init; }

    public double Seconds { get; init; }

    public int WarningCount { get; init; }

    /// <summary>At most 20, one sentence each.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Files that the repository could not give back.</summary>
    public int DamagedCount { get; init; }

    /// <summary>At most 20 of their paths.</summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    /// <summary>Of a restore of a logical backup of postgres; else null.</summary>
    public LogicalRestored? Logical { get; init; }

    /// <summary>Of a restore of Redis; else null.</summary>
    public RedisRestored? Redis { get; init; }

    /// <summary>Of a restore into a LiveKit server; else null.</summary>
    public LiveKitRestored? LiveKit { get; init; }

    public Failure? Failure { get; init; }

    public string? SupersededBy { get; init; }
}

/// <summary>What a restore of a logical backup did.</summary>
/// <param name="Databases">Restored.</param>
/// <param name="Tables">With rows of their own.</param>
/// <param name="Rows">Together.</param>
public sealed record LogicalRestored(int Databases, long Tables, long Rows);

/// <summary>What a restore of Redis did.</summary>
/// <param name="Keys">Restored.</param>
/// <param name="Expired">Not restored, as their time has run out.</param>
/// <param name="Deleted">Removed, as the recovery point does not have them.</param>
/// <param name="Failed">Could not be restored.</param>
/// <param name="Functions">Libraries.</param>
public sealed record RedisRestored(long Keys, long Expired, long Deleted, long Failed, int Functions);

/// <summary>What a restore did in a LiveKit server.</summary>
public sealed record LiveKitRestored
{
    /// <summary>Host and port.</summary>
    public required string Server { get; init; }

    public int Created { get; init; }

    public int Kept { get; init; }

    public int Deleted { get; init; }

    /// <summary>Recordings that were started again.</summary>
    public int Started { get; init; }

    /// <summary>Objects that the server refused.</summary>
    public int Failed { get; init; }

    /// <summary>The file with the map of old to new ids.</summary>
    public required string IdMap { get; init; }

    /// <summary>The map; at most 200 of it.</summary>
    public IReadOnlyList<RestoredId> Ids { get; init; } = [];
}

/// <summary>An object that has another id now.</summary>
/// <param name="Kind"><c>sip_inbound_trunks</c>, <c>rooms</c>, and so on.</param>
/// <param name="Name">How a person knows it.</param>
/// <param name="OldId">In the recovery point.</param>
/// <param name="NewId">In the server.</param>
public sealed record RestoredId(string Kind, string Name, string OldId, string NewId);

/// <summary>Custom status of <c>RestoreOrchestrator</c>.</summary>
public sealed record RestoreStatus
{
    /// <summary><c>planning</c>, <c>restoring</c>, <c>cancelling</c> or <c>ended</c>.</summary>
    public required string Phase { get; init; }

    public string? SnapshotId { get; init; }

    public long FilesDone { get; init; }

    public long BytesDone { get; init; }

    public long BytesTotal { get; init; }

    public DateTimeOffset? LastHeartbeat { get; init; }
}
