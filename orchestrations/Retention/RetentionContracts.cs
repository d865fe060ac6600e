using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Repository.Collection;

namespace FunctionsBackup.Orchestrations.Retention;

/// <summary>Input of <c>RetentionOrchestrator</c>: removes what the policies no longer keep, then collects garbage.</summary>
public sealed record RetentionRequest
{
    /// <summary>Say what would go, and change nothing.</summary>
    public bool DryRun { get; init; }

    /// <summary>How long packs that nothing needs stay after they were marked: longer than the longest backup. 1 to 8760.</summary>
    public double GraceHours { get; init; } = 24;

    public string? RequestedBy { get; init; }
}

/// <summary>Output of <c>RetentionOrchestrator</c>.</summary>
public sealed record RetentionResult
{
    public required RunOutcome Outcome { get; init; }

    public int ExitCode { get; init; }

    public bool DryRun { get; init; }

    public int Kept { get; init; }

    /// <summary>Snapshots that went, or would.</summary>
    public int Removed { get; init; }

    /// <summary>At most 100 of their ids.</summary>
    public IReadOnlyList<string> RemovedIds { get; init; } = [];

    /// <summary>Records of recovery points whose snapshots are all gone.</summary>
    public int RemovedPoints { get; init; }

    public long WalObjects { get; init; }

    public long WalBytes { get; init; }

    public int FreedPacks { get; init; }

    public long FreedBytes { get; init; }

    public int MarkedPacks { get; init; }

    /// <summary>Mostly unneeded packs of which what is needed was copied.</summary>
    public int RepackedPacks { get; init; }

    /// <summary>Bytes that wait for their grace time.</summary>
    public long WaitingBytes { get; init; }

    /// <summary>When the last of them may go; null if none waits.</summary>
    public DateTimeOffset? RemovableAt { get; init; }

    /// <summary>Recovery points that no rule keeps, but the lock on their record; they are among neither the kept nor the removed.</summary>
    public int Expired { get; init; }

    /// <summary>Packs and WAL that nothing needs and a lock keeps, by the end of the locks: what is freed when. At most 100 dates.</summary>
    public IReadOnlyList<LockedShare> Locked { get; init; } = [];

    /// <summary>Objects whose locks were renewed, or would be.</summary>
    public int RenewedLocks { get; init; }

    public Failure? Failure { get; init; }

    public string? SupersededBy { get; init; }
}
