using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.RestoreTesting;

/// <summary>Input of <c>RestoreTestingOrchestrator</c>: snapshots are restored into a scratch folder and proven.</summary>
public sealed record RestoreTestRequest
{
    /// <summary>Empty: all configured.</summary>
    public IReadOnlyList<string> Components { get; init; } = [];

    /// <summary>These snapshots; empty: <see cref="Sample"/> of each component.</summary>
    public IReadOnlyList<string> SnapshotIds { get; init; } = [];

    /// <summary>How many of each component: the newest, and others at random.</summary>
    public int Sample { get; init; } = 1;

    public string? RequestedBy { get; init; }
}

/// <summary>Output of <c>RestoreTestingOrchestrator</c>.</summary>
public sealed record RestoreTestResult
{
    public required RunOutcome Outcome { get; init; }

    /// <summary>0 all restore · 5 one does not · others: they could not be tested.</summary>
    public int ExitCode { get; init; }

    public IReadOnlyList<SnapshotTestResult> Tests { get; init; } = [];

    public Failure? Failure { get; init; }

    public string? SupersededBy { get; init; }
}

/// <summary>Proof that one snapshot restores, or why it does not.</summary>
public sealed record SnapshotTestResult
{
    public required string SnapshotId { get; init; }

    public required string Component { get; init; }

    public bool Passed { get; init; }

    public double Seconds { get; init; }

    /// <summary>Postgres: from the beginning of the restore until the server let sessions in.</summary>
    public double? SecondsToService { get; init; }

    public double? ObjectiveSeconds { get; init; }

    public long RestoredBytes { get; init; }

    /// <summary>At most 40 lines: what was done and found.</summary>
    public IReadOnlyList<string> Findings { get; init; } = [];

    /// <summary>Why it could not be tested; null if it was.</summary>
    public Failure? Failure { get; init; }
}

/// <summary>Custom status of <c>RestoreTestingOrchestrator</c>.</summary>
/// <param name="Phase"><c>testing</c>, <c>cancelling</c> or <c>ended</c>.</param>
/// <param name="Done">Snapshots tested.</param>
/// <param name="Total">Snapshots to test.</param>
/// <param name="Failed">Those that did not restore.</param>
public sealed record RestoreTestStatus(string Phase, int Done, int Total, int Failed);
