using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Input of <c>PlanBackup</c>.</summary>
/// <param name="InstanceId">The orchestration that asks.</param>
/// <param name="RunId">The run: <c>yyyyMMddTHHmmssZ-8 hex digits</c>, from the orchestration's clock and randomness.</param>
/// <param name="Components">What to plan.</param>
/// <param name="Full">Read everything.</param>
public sealed record PlanRequest(string InstanceId, string RunId, IReadOnlyList<string> Components, bool Full);

/// <summary>
/// How a backup is divided. Only names and sizes: the boundaries of the units are in the repository, in an object of the run.
/// </summary>
public sealed record BackupPlan
{
    public IReadOnlyList<ComponentPlan> Components { get; init; } = [];

    /// <summary>Units that may be worked on at once, over all components.</summary>
    public int UnitsInFlight { get; init; } = 2;
}

/// <summary>The units of one component, or why there are none.</summary>
public sealed record ComponentPlan
{
    public required string Component { get; init; }

    public IReadOnlyList<UnitPlan> Units { get; init; } = [];

    public Failure? Failure { get; init; }
}

/// <summary>One unit of roughly equal work.</summary>
/// <param name="Unit">Unique in the run, in catalog order: <c>voice_data.0003</c>.</param>
/// <param name="Bytes">Bytes of the source, as planned; 0: unknown.</param>
/// <param name="Entries">Files and directories; 0: unknown.</param>
public sealed record UnitPlan(string Unit, long Bytes, long Entries);
