namespace FunctionsBackup.Storage;

/// <summary>What a store found out about its service.</summary>
/// <param name="What">What was tried.</param>
/// <param name="IsGood">Whether a repository may rely on it as it is configured.</param>
/// <param name="Finding">What came out, for people.</param>
public sealed record ProbeFinding(string What, bool IsGood, string Finding)
{
    /// <summary>A repository works here, but somebody should look.</summary>
    public bool IsWarning { get; init; }
}

/// <summary>A store whose service is not trusted to keep promises that it has not been seen to keep.</summary>
public interface IProbedStore
{
    /// <summary>Tries what the store relies on. May leave an object that no listing of the store shows.</summary>
    ValueTask<IReadOnlyList<ProbeFinding>> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Removes that object.</summary>
    ValueTask RemoveProbeAsync(CancellationToken cancellationToken);
}
