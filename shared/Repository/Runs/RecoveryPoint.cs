using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Repository.Runs;

/// <summary>
/// What one run protected: joins the snapshots of its components under one id (FORMAT.md §7). Each snapshot restores by itself, with or
/// without this record.
/// </summary>
public sealed record RecoveryPoint
{
    /// <summary>The run's id: <c>20261125T221530Z-5ca60a03</c>; sorts by time.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required DateTimeOffset CompletedAt { get; init; }

    public required string Host { get; init; }

    public required string WrittenBy { get; init; }

    /// <summary>The write-only writer that made it, 8 hex digits, by its seal; null: somebody who holds the repository's keys.</summary>
    [JsonIgnore]
    public string? Writer { get; init; }

    /// <summary><c>complete</c>, or <c>partial</c>: a component that was asked for is missing.</summary>
    public required string Outcome { get; init; }

    public IReadOnlyList<PointComponent> Components { get; init; } = [];

    /// <summary>How far chains of the audit log were when it was made: so that a chain that was shortened is found. Null in records
    /// of older programs.</summary>
    public IReadOnlyList<AuditHead>? Audit { get; init; }
}

/// <summary>One component of a recovery point.</summary>
public sealed record PointComponent
{
    public required string Component { get; init; }

    /// <summary>Null: it was not protected by this run.</summary>
    public string? SnapshotId { get; init; }

    /// <summary>Why not, one sentence.</summary>
    public string? Error { get; init; }

    /// <summary>Where it stands in time: <c>time</c>, and of a database <c>systemIdentifier</c>, <c>timeline</c>, <c>startLsn</c>, <c>stopLsn</c>.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();
}
