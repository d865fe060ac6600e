using FunctionsBackup.Orchestrations.Standing;

namespace FunctionsBackup.Functions.Status;

/// <summary>Is everything protected, would it restore, how long would it take?</summary>
/// <param name="Well">All components are within their objectives, and there is one; no replica is late or worse.</param>
/// <param name="At">When this was found.</param>
/// <param name="Components">Each that is configured.</param>
public sealed record SiteStatus(bool Well, DateTimeOffset At, IReadOnlyList<ComponentView> Components)
{
    /// <summary>Each that is configured, as it stood at most five minutes ago.</summary>
    public IReadOnlyList<ReplicaView> Replicas { get; init; } = [];

    /// <summary>What has not ended, oldest first.</summary>
    public IReadOnlyList<RunningWork> Work { get; init; } = [];
}

/// <summary>How one component stands. Sizes in bytes, lengths of time in seconds.</summary>
public sealed record ComponentView
{
    public required string Component { get; init; }

    public bool Well { get; init; }

    public bool Protected { get; init; }

    public bool Restorable { get; init; }

    /// <summary>Recovery points that look wrong and wait for a person.</summary>
    public int Suspicious { get; init; }

    public string? NewestRecoveryPoint { get; init; }

    public DateTimeOffset? NewestCompletedAt { get; init; }

    /// <summary>Of the newest recovery point, as a restore would write it.</summary>
    public long? LogicalBytes { get; init; }

    /// <summary>What would be lost if the source were lost now.</summary>
    public double? LossSeconds { get; init; }

    public double RpoSeconds { get; init; }

    public bool WithinRpo { get; init; }

    public double? EstimatedRestoreSeconds { get; init; }

    public double RtoSeconds { get; init; }

    public bool WithinRto { get; init; }

    /// <summary>What is not well, one sentence each, with the mend.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    internal static ComponentView Of(ComponentStanding standing) => new()
    {
        Component = standing.Component,
        Well = standing.IsWell,
        Protected = standing.IsProtected,
        Restorable = standing.IsRestorable,
        Suspicious = standing.Suspicious,
        NewestRecoveryPoint = standing.Newest?.Id,
        NewestCompletedAt = standing.Newest?.CompletedAt,
        LogicalBytes = standing.Newest?.Statistics.LogicalBytes,
        LossSeconds = standing.Loss?.TotalSeconds,
        RpoSeconds = standing.Objective.Rpo.TotalSeconds,
        WithinRpo = standing.WithinRpo,
        EstimatedRestoreSeconds = standing.Estimate?.TotalSeconds,
        RtoSeconds = standing.Objective.Rto.TotalSeconds,
        WithinRto = standing.WithinRto,
        Reasons = standing.Reasons,
    };
}
