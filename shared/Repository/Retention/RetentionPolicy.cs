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

    /// <summary>This policy with one more rule, named as in the configuration's <c>retention:</c> block.</summary>
    /// <param name="word"><c>full_backups</c>, <c>snapshots</c>, <c>recordings</c> (days), <c>hourly</c> … <c>yearly</c>.</param>
    /// <param name="value">Count or days, at least 1.</param>
    /// <exception cref="ArgumentException">There is no such rule, or the value makes no sense.</exception>
    public RetentionPolicy With(string word, int value)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
        return word switch
        {
            "full_backups" => this with { FullBackups = value },
            "snapshots" => this with { Last = value },
            "recordings" => this with { Within = TimeSpan.FromDays(Math.Min(value, TimeSpan.MaxValue.Days)) },
            "hourly" => this with { Hourly = value },
            "daily" => this with { Daily = value },
            "weekly" => this with { Weekly = value },
            "monthly" => this with { Monthly = value },
            "yearly" => this with { Yearly = value },
            _ => throw new ArgumentException(
                $"There is no retention rule '{word}'; " +
                "use full_backups, snapshots, recordings, hourly, daily, weekly, monthly or yearly.",
                nameof(word)),
        };
    }

    /// <exception cref="ArgumentOutOfRangeException">A count or duration is negative.</exception>
    internal void Check()
    {
        foreach (var count in new[] { Last, FullBackups, Hourly, Daily, Weekly, Monthly, Yearly })
            ArgumentOutOfRangeException.ThrowIfNegative(count, "A count of a retention policy");
        ArgumentOutOfRangeException.ThrowIfNegative(Within?.Ticks ?? 0, nameof(Within));
    }
}
