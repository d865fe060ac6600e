using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Repository.Retention;

/// <summary>What retention needs to know of a recovery point.</summary>
/// <param name="Id">Unique.</param>
/// <param name="Component">Rules count each component for itself.</param>
/// <param name="Kind"><c>full</c>, <c>incremental</c>, …</param>
/// <param name="Time">When it was taken.</param>
/// <param name="Pinned">Somebody asked to keep it.</param>
/// <param name="Damaged">It is known not to restore completely: it takes nobody's place.</param>
public sealed record RetentionCandidate(
    string Id, string Component, string Kind, DateTimeOffset Time, bool Pinned = false, bool Damaged = false)
{
    /// <summary>The write-only writer that made it: rules count each for itself, so that none pushes out what others made. Null: none.</summary>
    public string? Writer { get; init; }

    public static RetentionCandidate Of(Snapshot snapshot, bool pinned, bool damaged) =>
        new(snapshot.Id, snapshot.Component, snapshot.Kind, snapshot.StartedAt, pinned, damaged) { Writer = snapshot.Writer };
}

/// <summary>Whether a recovery point stays, and why: at least one reason in words, such as <c>daily #3 (2026-11-20)</c>.</summary>
public sealed record RetentionDecision(RetentionCandidate Candidate, bool Keep, IReadOnlyList<string> Reasons)
{
    /// <summary>Set if no rule keeps it, but its record is locked until then.</summary>
    public DateTimeOffset? LockedUntil { get; init; }
}
