using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Replication;

/// <summary>Input of <c>ReplicationOrchestrator</c>: brings replicas up to the repository.</summary>
public sealed record ReplicationRequest
{
    /// <summary>Names of replicas, each once; the starter fills in all that are configured where none is named.</summary>
    public IReadOnlyList<string> Replicas { get; init; } = [];

    /// <summary>A folder that holds no replica yet may become one.</summary>
    public bool Create { get; init; }

    public string? RequestedBy { get; init; }
}

/// <summary>Output of <c>ReplicationOrchestrator</c>.</summary>
public sealed record ReplicationResult
{
    public required RunOutcome Outcome { get; init; }

    public int ExitCode { get; init; }

    public IReadOnlyList<ReplicaResult> Replicas { get; init; } = [];

    public Failure? Failure { get; init; }

    public string? SupersededBy { get; init; }
}

/// <summary>What came of one replica.</summary>
public sealed record ReplicaResult
{
    public required string Replica { get; init; }

    public required RunOutcome Outcome { get; init; }

    public int ExitCode { get; init; }

    public long CopiedObjects { get; init; }

    public long CopiedBytes { get; init; }

    /// <summary>What the repository had removed on purpose, removed here too.</summary>
    public long RemovedObjects { get; init; }

    /// <summary>What it still lacks.</summary>
    public long MissingObjects { get; init; }

    public long MissingBytes { get; init; }

    /// <summary>How long it has been behind; 0: it is not.</summary>
    public double LagSeconds { get; init; }

    /// <summary>Objects of the repository that are damaged and were not copied.</summary>
    public int DamagedCount { get; init; }

    /// <summary>At most 20 of them, each as one sentence.</summary>
    public IReadOnlyList<string> Damaged { get; init; } = [];

    public int OnlyOnReplicaCount { get; init; }

    /// <summary>At most 20 ids of recovery points that the repository lost and the replica has.</summary>
    public IReadOnlyList<string> OnlyOnReplica { get; init; } = [];

    public IReadOnlyList<string> Notes { get; init; } = [];

    public double Seconds { get; init; }

    public Failure? Failure { get; init; }
}

/// <summary>Input of <c>ReplicateRepository</c>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Replica">The replica's name.</param>
/// <param name="Create">A folder that holds no replica yet may become one.</param>
public sealed record ReplicateRequest(string InstanceId, string Replica, bool Create);

/// <summary>Custom status of <c>ReplicationOrchestrator</c>.</summary>
/// <param name="Phase"><c>copying</c>, <c>cancelling</c> or <c>ended</c>.</param>
/// <param name="UnitsDone">Replicas that are done.</param>
/// <param name="UnitsTotal">Replicas in all.</param>
/// <param name="FilesDone">Objects copied, of the replica that was heard of last.</param>
/// <param name="BytesDone">Their bytes.</param>
/// <param name="BytesTotal">Bytes that it lacked.</param>
public sealed record ReplicationStatus(string Phase, int UnitsDone, int UnitsTotal, long FilesDone, long BytesDone, long BytesTotal);
