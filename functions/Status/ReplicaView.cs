using FunctionsBackup.Orchestrations.Replication;

namespace FunctionsBackup.Functions.Status;

/// <summary>How one replica stands. Sizes in bytes, lengths of time in seconds.</summary>
public sealed record ReplicaView
{
    public required string Replica { get; init; }

    /// <summary>
    /// <c>in_step</c>, <c>behind</c> (within what is allowed), <c>late</c>, <c>empty</c>, <c>foreign</c> (another repository), <c>damaged</c>
    /// or <c>unreachable</c>.
    /// </summary>
    public required string State { get; init; }

    public bool Well { get; init; }

    /// <summary>How long it has been behind; null: not known.</summary>
    public double? LagSeconds { get; init; }

    public long? MissingObjects { get; init; }

    public long? MissingBytes { get; init; }

    public long? MissingRecoveryPoints { get; init; }

    /// <summary>What is not well, with the mend.</summary>
    public string? Reason { get; init; }

    internal static ReplicaView Of(ReplicaStanding standing) => new()
    {
        Replica = standing.Replica,
        State = standing.State,
        Well = standing.IsWell,
        LagSeconds = standing.Lag is null ? null : standing.Age.TotalSeconds,
        MissingObjects = standing.Lag?.MissingObjects,
        MissingBytes = standing.Lag?.MissingBytes,
        MissingRecoveryPoints = standing.Lag?.MissingSnapshots,
        Reason = standing.Reason,
    };
}
