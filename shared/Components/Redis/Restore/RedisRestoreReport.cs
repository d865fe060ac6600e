namespace FunctionsBackup.Components.Redis.Restore;

/// <summary>What a restore did, or would do.</summary>
public sealed record RedisRestoreReport
{
    /// <summary>Keys that were restored, by database.</summary>
    public IReadOnlyDictionary<int, long> Keys { get; init; } = new Dictionary<int, long>();

    /// <summary>Bytes of their values.</summary>
    public long Bytes { get; init; }

    /// <summary>Keys whose time had run out: they are not restored.</summary>
    public long Expired { get; init; }

    /// <summary>Of those that were restored: keys that will expire.</summary>
    public long Expiring { get; init; }

    /// <summary>Keys that were removed, because the recovery point does not have them.</summary>
    public long Deleted { get; init; }

    /// <summary>Keys that could not be restored.</summary>
    public long Failed { get; init; }

    /// <summary>Of the first of them: why, one sentence each.</summary>
    public IReadOnlyList<string> Failures { get; init; } = [];

    public int Functions { get; init; }

    public IReadOnlyList<string> Warnings { get; init; } = [];

    public long TotalKeys => Keys.Values.Sum();
}
