using System.Text.Json.Serialization;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Custom status of <c>BackupOrchestrator</c>: how far it is. At most some kilobytes.</summary>
public sealed record BackupStatus
{
    public required BackupPhase Phase { get; init; }

    public IReadOnlyList<ComponentStatus> Components { get; init; } = [];

    public int UnitsDone { get; init; }

    public int UnitsTotal { get; init; }

    /// <summary>Bytes of the sources that were looked at so far.</summary>
    public long BytesDone { get; init; }

    /// <summary>Bytes in all, as planned; 0 while unknown.</summary>
    public long BytesTotal { get; init; }

    /// <summary>When storing will be over, from what was done so far; null while nothing can be said.</summary>
    public DateTimeOffset? EstimatedEnd { get; init; }

    /// <summary>When an activity was last heard of.</summary>
    public DateTimeOffset? LastHeartbeat { get; init; }

    /// <summary>Set when it is committed.</summary>
    public string? RecoveryPointId { get; init; }
}

/// <summary>What a backup is doing. In JSON as lower-case words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<BackupPhase>))]
public enum BackupPhase
{
    /// <summary>Finding out whether another instance works on the same components.</summary>
    [JsonStringEnumMemberName("claiming")]
    Claiming,

    [JsonStringEnumMemberName("planning")]
    Planning,

    [JsonStringEnumMemberName("storing")]
    Storing,

    /// <summary>Cancelled: what runs is being broken off.</summary>
    [JsonStringEnumMemberName("cancelling")]
    Cancelling,

    [JsonStringEnumMemberName("committing")]
    Committing,

    [JsonStringEnumMemberName("verifying")]
    Verifying,

    [JsonStringEnumMemberName("ended")]
    Ended,
}

/// <summary>How far one component is.</summary>
public sealed record ComponentStatus
{
    public required string Component { get; init; }

    public required ComponentState State { get; init; }

    public int UnitsDone { get; init; }

    public int UnitsTotal { get; init; }

    public long FilesDone { get; init; }

    public long BytesDone { get; init; }

    /// <summary>0 while unknown.</summary>
    public long BytesTotal { get; init; }

    /// <summary>Why it failed, one sentence; null if it did not.</summary>
    public string? Error { get; init; }

    /// <summary>The instance that works on it, if superseded.</summary>
    public string? SupersededBy { get; init; }
}

/// <summary>Where a component stands in a backup. In JSON as lower-case words.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<ComponentState>))]
public enum ComponentState
{
    [JsonStringEnumMemberName("waiting")]
    Waiting,

    [JsonStringEnumMemberName("storing")]
    Storing,

    /// <summary>All its units are stored; not yet committed.</summary>
    [JsonStringEnumMemberName("stored")]
    Stored,

    [JsonStringEnumMemberName("committed")]
    Committed,

    [JsonStringEnumMemberName("failed")]
    Failed,

    [JsonStringEnumMemberName("cancelled")]
    Cancelled,

    [JsonStringEnumMemberName("superseded")]
    Superseded,
}
