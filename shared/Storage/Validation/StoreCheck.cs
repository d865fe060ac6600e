namespace FunctionsBackup.Storage.Validation;

public enum CheckOutcome
{
    Passed,

    /// <summary>A repository works here, but somebody should look.</summary>
    Warning,

    /// <summary>A repository must not be kept here as it is.</summary>
    Failed,
}

/// <summary>One thing that was tried.</summary>
/// <param name="Name">What: <c>conditional create</c>.</param>
/// <param name="Outcome">What came out.</param>
/// <param name="Finding">The same for people, with figures or the mend.</param>
public sealed record StoreCheck(string Name, CheckOutcome Outcome, string Finding);

/// <summary>What a validation found.</summary>
/// <param name="Checks">In the order in which they were made.</param>
/// <param name="Left">Names of objects that could not be removed again.</param>
public sealed record ValidationReport(IReadOnlyList<StoreCheck> Checks, IReadOnlyList<string> Left)
{
    /// <summary>Median time of creating a small object.</summary>
    public TimeSpan? CreateLatency { get; init; }

    /// <summary>Median time of reading a small object.</summary>
    public TimeSpan? ReadLatency { get; init; }

    /// <summary>Bytes per second of one large object.</summary>
    public double? WriteRate { get; init; }

    /// <inheritdoc cref="WriteRate"/>
    public double? ReadRate { get; init; }

    /// <summary>How far the store's clock is ahead of ours.</summary>
    public TimeSpan? ClockDrift { get; init; }

    /// <summary>The worst of all checks.</summary>
    public CheckOutcome Outcome => Checks.Count == 0 ? CheckOutcome.Failed : Checks.Max(c => c.Outcome);
}

/// <summary>How a store is validated.</summary>
public sealed record ValidationOptions
{
    /// <summary>Bytes of the large object.</summary>
    public int LargeSize { get; init; } = 16 << 20;

    /// <summary>Objects of the listing; to be several pages, the store must have been opened with a small page.</summary>
    public int ListedObjects { get; init; } = 24;

    /// <summary>Whether this identity is meant to delete: to prune.</summary>
    public bool NeedsDelete { get; init; }
}
