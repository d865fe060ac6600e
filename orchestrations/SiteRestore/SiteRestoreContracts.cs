using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;

namespace FunctionsBackup.Orchestrations.SiteRestore;

/// <summary>Input of <c>SiteRestoreOrchestrator</c>: all components as of one moment.</summary>
public sealed record SiteRestoreRequest
{
    /// <summary>Absolute: each component gets a folder of its name in it.</summary>
    public required string Target { get; init; }

    /// <summary>The moment; null: the newest of everything.</summary>
    public DateTimeOffset? ToTime { get; init; }

    /// <summary>Which components; empty: all that the repository has.</summary>
    public IReadOnlyList<string> Components { get; init; } = [];

    /// <summary>Pass over what is suspicious.</summary>
    public bool BeforeAnomaly { get; init; }

    /// <summary>What is there may be replaced.</summary>
    public bool Overwrite { get; init; }

    /// <summary>Write only what differs, in place.</summary>
    public bool Delta { get; init; }

    public string? FromReplica { get; init; }

    public string? RequestedBy { get; init; }
}

/// <summary>Which recovery points a restore of the site takes, and how far apart they are in time.</summary>
public sealed record SitePlan
{
    /// <summary>The moment that was asked for; null: the newest.</summary>
    public DateTimeOffset? ToTime { get; init; }

    public IReadOnlyList<ComponentState> Components { get; init; } = [];

    /// <summary>
    /// Seconds between the oldest and the newest of the states: what one component knows and another does not is at most that much apart. Null with
    /// fewer than two.
    /// </summary>
    public double? SkewSeconds { get; init; }

    /// <summary>Why there is no plan at all.</summary>
    public Failure? Failure { get; init; }
}

/// <summary>The state to which a component comes back.</summary>
public sealed record ComponentState
{
    public required string Component { get; init; }

    /// <summary>Null: there is nothing at or before the moment; <see cref="Problem"/> says more.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>
    /// The moment that it shows. Of files, the beginning of their backup: what was written while it ran may be in it or not.
    /// </summary>
    public DateTimeOffset? StateAt { get; init; }

    /// <summary>Whether changes behind the recovery point are replayed up to the moment.</summary>
    public bool Replays { get; init; }

    /// <summary>Seconds that it lies before the moment that was asked for.</summary>
    public double? BehindSeconds { get; init; }

    /// <summary>One sentence on what a person should know.</summary>
    public string? Problem { get; init; }
}

/// <summary>Output of <c>SiteRestoreOrchestrator</c>.</summary>
public sealed record SiteRestoreResult
{
    public required RunOutcome Outcome { get; init; }

    public int ExitCode { get; init; }

    public SitePlan? Plan { get; init; }

    public IReadOnlyList<ComponentRestored> Components { get; init; } = [];

    public Failure? Failure { get; init; }
}

/// <summary>What became of one component.</summary>
/// <param name="Component">Which.</param>
/// <param name="Target">Where it is now.</param>
/// <param name="Result">What its restore says.</param>
public sealed record ComponentRestored(string Component, string Target, RestoreResult Result);

/// <summary>Custom status of <c>SiteRestoreOrchestrator</c>.</summary>
/// <param name="Phase"><c>planning</c>, <c>restoring</c>, <c>cancelling</c> or <c>ended</c>.</param>
/// <param name="Component">At work.</param>
/// <param name="Done">Components that have ended.</param>
/// <param name="Total">Components.</param>
public sealed record SiteRestoreStatus(string Phase, string? Component, int Done, int Total);
