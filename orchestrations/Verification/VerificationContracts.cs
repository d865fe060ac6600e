using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Verification;

/// <summary>Input of <c>VerificationOrchestrator</c>.</summary>
public sealed record VerificationRequest
{
    /// <summary><c>quick</c>, <c>sample:N</c> (percent of the packs), <c>full</c> or <c>restore</c>.</summary>
    public string Level { get; init; } = "sample:10";

    /// <summary>Snapshots; empty: the whole repository.</summary>
    public IReadOnlyList<string> SnapshotIds { get; init; } = [];

    /// <summary>Snapshots that are verified at once.</summary>
    public int Parallel { get; init; } = 2;

    public string? RequestedBy { get; init; }
}

/// <summary>Output of <c>VerificationOrchestrator</c>.</summary>
public sealed record VerificationResult
{
    public required RunOutcome Outcome { get; init; }

    /// <summary>0 all is well · 3 WAL that breaks no recovery point is missing · 5 damage · others: it could not be verified.</summary>
    public int ExitCode { get; init; }

    public required string Level { get; init; }

    public int Snapshots { get; init; }

    public DateTimeOffset StartedAt { get; init; }

    public DateTimeOffset FinishedAt { get; init; }

    /// <summary>Packs that the snapshots need; where several were verified apart, each counts its own.</summary>
    public int Packs { get; init; }

    public int PacksRead { get; init; }

    /// <summary>Packs that no snapshot needs.</summary>
    public int UnreferencedPacks { get; init; }

    public long BytesRead { get; init; }

    /// <summary>All defects there are; the first of them are listed.</summary>
    public int DefectCount { get; init; }

    /// <summary>At most 20.</summary>
    public IReadOnlyList<VerificationDefect> Defects { get; init; } = [];

    /// <summary>At most 20 sentences on what is worth knowing and no defect.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Why it could not be verified; null if it was.</summary>
    public Failure? Failure { get; init; }

    /// <summary>The instance that does the same, if superseded.</summary>
    public string? SupersededBy { get; init; }
}

/// <summary>Something that is not as it was written.</summary>
/// <param name="ObjectName">The object concerned.</param>
/// <param name="Problem">One sentence.</param>
/// <param name="Snapshots">At most 10 of the snapshots that it touches.</param>
/// <param name="Mend">The command that repairs or marks it.</param>
/// <param name="BreaksSnapshot">False: only later points in time cannot be reached.</param>
public sealed record VerificationDefect(
    string ObjectName, string Problem, IReadOnlyList<string> Snapshots, string Mend, bool BreaksSnapshot = true);

/// <summary>Custom status of <c>VerificationOrchestrator</c>.</summary>
/// <param name="Phase"><c>verifying</c> or <c>cancelling</c>.</param>
/// <param name="Level">As in the request.</param>
/// <param name="StepsDone">Activities that have ended.</param>
/// <param name="StepsTotal">Activities in all.</param>
/// <param name="Defects">Defects so far.</param>
public sealed record VerificationProgress(string Phase, string Level, int StepsDone, int StepsTotal, int Defects);
