using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Verification;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Output of <c>BackupOrchestrator</c>.</summary>
public sealed record BackupResult
{
    public required RunOutcome Outcome { get; init; }

    /// <summary>What <c>fbackup</c> exits with: 0 complete · 1, 2, 4 or 5 by the first failure · 3 warnings · 130 cancelled.</summary>
    public int ExitCode { get; init; }

    /// <summary>The recovery point that joins the snapshots; null if there is none.</summary>
    public string? RecoveryPointId { get; init; }

    /// <summary>Each component that was asked for.</summary>
    public IReadOnlyList<ComponentResult> Components { get; init; } = [];

    /// <summary>The instance that does the same work, if all of it was being done already.</summary>
    public string? SupersededBy { get; init; }

    /// <summary>What verification found; null if none was asked for or nothing was taken.</summary>
    public VerificationResult? Verification { get; init; }

    /// <summary>The instance of retention that was started; null if it was not due.</summary>
    public string? RetentionInstance { get; init; }

    /// <summary>The replication that was started, or runs already; null: there are no replicas.</summary>
    public string? ReplicationInstance { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset CompletedAt { get; init; }
}

/// <summary>What became of one component.</summary>
public sealed record ComponentResult
{
    public required string Component { get; init; }

    /// <summary>Complete, failed, cancelled or superseded.</summary>
    public required RunOutcome Outcome { get; init; }

    /// <summary>Its snapshot: restores by itself. Null if none was taken.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>Why it failed; null if it did not.</summary>
    public Failure? Failure { get; init; }

    /// <summary>The instance that is working on it, if superseded.</summary>
    public string? SupersededBy { get; init; }

    /// <summary>Warnings in the snapshot's record.</summary>
    public int Warnings { get; init; }

    /// <summary>Why it is suspicious, one sentence each; empty: it is not.</summary>
    public IReadOnlyList<string> Anomalies { get; init; } = [];

    /// <summary>Why it could not be compared with those before it; null: it was.</summary>
    public string? NotCompared { get; init; }

    public int Units { get; init; }

    public long Files { get; init; }

    /// <summary>Bytes of all files as a restore would write them.</summary>
    public long LogicalBytes { get; init; }

    /// <summary>Bytes read from the source.</summary>
    public long ReadBytes { get; init; }

    /// <summary>Bytes of chunks that the repository did not have, before compression.</summary>
    public long NewBytes { get; init; }

    /// <summary>Bytes added to the store.</summary>
    public long StoredBytes { get; init; }
}
