namespace FunctionsBackup.Repository.Runs;

/// <summary>
/// The beginning of a run, taken before anything relies on the repository: whoever commits judges from here, in whatever process and
/// however much later, whether garbage collection may have taken something that a unit relied on (FORMAT.md §8).
/// </summary>
public sealed record RunToken
{
    /// <summary><c>yyyyMMddTHHmmssZ-8 hex digits</c>; the recovery point of the run has the same id.</summary>
    public required string RunId { get; init; }

    /// <summary>When it began, by this program's clock: the time in the ids of its snapshots.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The same by the store's clock, which all ages are measured by.</summary>
    public required DateTimeOffset BeganAt { get; init; }

    /// <summary>Names of the collection marks that were there.</summary>
    public IReadOnlyList<string> KnownMarks { get; init; } = [];

    /// <summary>Whether one of them names packs: the parents must then still be there at the commit.</summary>
    public bool CollectionWaited { get; init; }
}

/// <summary>A run as it was planned: an object that all its units read.</summary>
/// <param name="Token">Its beginning.</param>
/// <param name="Plan">What the planner wrote for the units: boundaries, options.</param>
public sealed record RunPlan(RunToken Token, byte[] Plan);
