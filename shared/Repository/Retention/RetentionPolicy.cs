namespace FunctionsBackup.Repository.Retention;

/// <summary>
/// What to keep of a component. A recovery point stays while at least one rule wants it; a policy without rules keeps everything.
/// A count of 0 is no rule.
/// </summary>
public sealed record RetentionPolicy
{
    /// <summary>The newest so many, whatever their kind.</summary>
    public int Last { get; init; }

    /// <summary>The newest so many full backups, and everything newer than the oldest of them. While there are fewer, everything.</summary>
    public int FullBackups { get; init; }

    /// <summary>Everything at most this old.</summary>
    public TimeSpan? Within { get; init; }

    /// <summary>
    /// The newest of each of the newest so many hours that have any; likewise the next four. Weeks begin on Monday (ISO 8601).
    /// </summary>
    public int Hourly { get; init; }

    public int Daily { get; init; }

    public int Weekly { get; init; }

    public int Monthly { get; init; }

    public int Yearly { get; init; }

    /// <summary>Where hours, days, weeks, months and years begin.</summary>
    public TimeZoneInfo TimeZone { get; init; } = TimeZoneInfo.Utc;

    public bool IsEmpty => Within is null && (Last | FullBackups | Hourly | Daily | Weekly | Monthly | Yearly) == 0;

    /// <exception cref="ArgumentOutOfRangeException">A count or duration is negative.</exception>
    internal void Check()
    {
        foreach (var count in new[] { Last, FullBackups, Hourly, Daily, Weekly, Monthly, Yearly })
            ArgumentOutOfRangeException.ThrowIfNegative(count, "A count of a retention policy");
        ArgumentOutOfRangeException.ThrowIfNegative(Within?.Ticks ?? 0, nameof(Within));
    }
}
