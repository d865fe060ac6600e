namespace FunctionsBackup.Repository.Audit;

/// <summary>How a verification of the log ended.</summary>
/// <param name="Chains">One for each writer, in order of their ids.</param>
/// <param name="Breaks">Links that do not hold, in order of writers and segments; at most <see cref="AuditVerifier.MaximumBreaks"/>.</param>
/// <param name="BreakCount">All there are.</param>
/// <param name="Notes">What is worth knowing and proves nothing, one sentence each.</param>
public sealed record AuditReport(
    IReadOnlyList<AuditChainReport> Chains, IReadOnlyList<AuditBreak> Breaks, int BreakCount, IReadOnlyList<string> Notes)
{
    public long Segments => Chains.Sum(c => c.Segments);

    public long Entries => Chains.Sum(c => c.Entries);

    /// <summary>What to keep elsewhere: with these, nobody can shorten a chain unnoticed.</summary>
    public IReadOnlyList<AuditHead> Heads => [.. Chains.Select(c => c.Head).OfType<AuditHead>()];
}

/// <summary>What was found of a writer's chain.</summary>
public sealed record AuditChainReport
{
    public required string Writer { get; init; }

    /// <summary>The machine, as its newest readable segment says; null if there is none.</summary>
    public string? Host { get; init; }

    /// <summary>Segments that are there and hold.</summary>
    public long Segments { get; init; }

    public long Entries { get; init; }

    public DateTimeOffset? FirstAt { get; init; }

    public DateTimeOffset? LastAt { get; init; }

    /// <summary>The newest segment that holds; null if none does.</summary>
    public AuditHead? Head { get; init; }
}

/// <summary>A link that does not hold.</summary>
/// <param name="ObjectName">The object that is missing, damaged or forged.</param>
/// <param name="Problem">One sentence.</param>
public sealed record AuditBreak(string ObjectName, string Problem);

/// <summary>A head that somebody knows.</summary>
/// <param name="Head">The link.</param>
/// <param name="Source">Who: <c>points/20261126T012000Z-5ca60a03</c>, <c>this machine</c>, a file.</param>
public sealed record KnownHead(AuditHead Head, string Source);
