namespace FunctionsBackup.Repository.Anomalies;

/// <summary>From when on a backup is suspicious. What is below a floor never is: small sites change a lot.</summary>
public sealed record AnomalyThresholds
{
    /// <summary>Backups that must lie behind before changes are judged; fewer say nothing about what is usual.</summary>
    public int MinimumHistory { get; init; } = 5;

    /// <summary>How many of the newest are looked at.</summary>
    public int History { get; init; } = 30;

    /// <summary>How far from the median, in (scaled) median absolute deviations.</summary>
    public double Deviations { get; init; } = 6;

    /// <summary>Bytes: less that is new, or gone, is no anomaly.</summary>
    public long MinimumBytes { get; init; } = 64L << 20;

    /// <summary>Fewer files that are gone are no anomaly.</summary>
    public long MinimumFiles { get; init; } = 100;

    /// <summary>Changed bytes: at least so many times the median, and at least this share of all (0 to 1).</summary>
    public double ChangedFactor { get; init; } = 3;

    /// <inheritdoc cref="ChangedFactor"/>
    public double ChangedShare { get; init; } = 0.2;

    /// <summary>Deduplication: at least this share of all is new (0 to 1), where usually it is 0.3 less.</summary>
    public double NewShare { get; init; } = 0.5;

    /// <summary>Compression: at least this share of the new bytes remains (0 to 1), where usually it is 0.25 less.</summary>
    public double StoredShare { get; init; } = 0.95;

    /// <summary>Mass deletion: at least this share of the files is gone since the backup before (0 to 1).</summary>
    public double DeletedShare { get; init; } = 0.3;

    /// <summary>A source that shrank: at least this share of the bytes is gone since the backup before (0 to 1).</summary>
    public double ShrunkShare { get; init; } = 0.5;
}
