namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>One part of a boot check.</summary>
/// <param name="Name"><c>restore</c>, <c>recovery</c>, <c>tables</c>, <c>amcheck</c>, <c>rows</c>, <c>shutdown</c>, <c>checksums</c>.</param>
/// <param name="Passed">Whether nothing was found.</param>
/// <param name="Duration">Wall time.</param>
/// <param name="Detail">What was done, in one sentence.</param>
/// <param name="Findings">What is wrong, one sentence or line each; empty if passed.</param>
public sealed record BootCheckStep(string Name, bool Passed, TimeSpan Duration, string Detail, IReadOnlyList<string> Findings);

/// <summary>What a real server said of a restored copy: evidence that a recovery point restores, or of why it does not.</summary>
public sealed record BootCheckReport
{
    public required string SnapshotId { get; init; }

    public required DateTimeOffset StartedAt { get; init; }

    public required TimeSpan Duration { get; init; }

    /// <summary><c>server_version</c> of the server that was booted; null if none was.</summary>
    public string? ServerVersion { get; init; }

    /// <summary>From the beginning of the restore until the server let sessions in: the measured recovery time.</summary>
    public TimeSpan? TimeToService { get; init; }

    public long RestoredBytes { get; init; }

    public int Databases { get; init; }

    public int Tables { get; init; }

    public long Rows { get; init; }

    /// <summary>What the restore could not do exactly, one sentence each: no damage, such as owners when not run as root.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    public required IReadOnlyList<BootCheckStep> Steps { get; init; }

    /// <summary>All steps were done and none found anything.</summary>
    public bool Passed => Steps.Count > 0 && Steps.All(static step => step.Passed);

    /// <summary>The end of the server's log, when something failed.</summary>
    public string? ServerLog { get; init; }
}
