using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Input of <c>StoreFilesUnit</c>, <c>StorePostgresUnit</c>, <c>StoreRedisUnit</c> and <c>StoreLiveKitUnit</c>.</summary>
/// <param name="InstanceId">The orchestration that asks: heartbeats go to it, and its end or cancellation ends the unit.</param>
/// <param name="RunId">The run that the unit belongs to.</param>
/// <param name="Component">The component.</param>
/// <param name="Unit">The unit's name in the run.</param>
public sealed record UnitRequest(string InstanceId, string RunId, string Component, string Unit);

/// <summary>What a unit did. Its piece of the catalog and its warnings are in the repository.</summary>
public sealed record UnitResult
{
    public required string Unit { get; init; }

    /// <summary>An earlier attempt had done it.</summary>
    public bool WasDone { get; init; }

    public long Entries { get; init; }

    public long Files { get; init; }

    /// <summary>Bytes of its files as a restore would write them.</summary>
    public long LogicalBytes { get; init; }

    public long ReadBytes { get; init; }

    public long NewBytes { get; init; }

    public int Warnings { get; init; }

    /// <summary>Why it cannot be done, where trying again is of no use; null if it was done.</summary>
    public Failure? Failure { get; init; }
}

/// <summary>Input of <c>CommitBackup</c>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="RunId">The run.</param>
/// <param name="Components">Those whose units are all stored, and those that failed.</param>
public sealed record CommitRequest(string InstanceId, string RunId, IReadOnlyList<CommitComponent> Components);

/// <summary>One component at commit.</summary>
/// <param name="Component">Which.</param>
/// <param name="Units">Its units in catalog order; empty if it failed.</param>
/// <param name="Failure">Why it has none.</param>
public sealed record CommitComponent(string Component, IReadOnlyList<string> Units, Failure? Failure);

/// <summary>What was committed.</summary>
/// <param name="RecoveryPointId">The record that joins the snapshots; null if no component could be committed.</param>
/// <param name="Components">Each component of the request.</param>
public sealed record CommitResult(string? RecoveryPointId, IReadOnlyList<ComponentResult> Components);

/// <summary>Input of <c>AbandonBackup</c>: the parts of a run that will not be committed go.</summary>
/// <param name="RunId">The run.</param>
public sealed record AbandonRequest(string RunId);

/// <summary>Input of <c>ClaimBackup</c>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="Components">What it wants to work on.</param>
public sealed record ClaimRequest(string InstanceId, IReadOnlyList<string> Components);

/// <summary>Which components the instance may work on, and who works on the others.</summary>
/// <param name="Granted">Its own.</param>
/// <param name="Held">Component to the instance that holds it.</param>
public sealed record ClaimResult(IReadOnlyList<string> Granted, IReadOnlyDictionary<string, string> Held);
