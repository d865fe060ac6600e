namespace FunctionsBackup.Repository.Replication;

/// <summary>How two copies are compared and healed.</summary>
public sealed record HealingOptions
{
    /// <summary>Read every byte of every pack and all WAL; otherwise only of those that a verification found bad or whose sizes differ.</summary>
    public bool ReadAll { get; init; }

    public int Parallelism { get; init; } = 2;

    /// <summary>
    /// Of WAL objects that only the replica has, by name, those that the primary should have; null: none. Given the replica, opened.
    /// </summary>
    public Func<BackupRepository, IReadOnlyList<string>, CancellationToken, ValueTask<IReadOnlyList<string>>>? NeededStreams { get; init; }
}

/// <summary>An object that was put back.</summary>
/// <param name="Store">Where it was missing or damaged.</param>
/// <param name="Name">Which.</param>
/// <param name="Problem">What was wrong with it, as half a sentence.</param>
/// <param name="From">Where its bytes came from.</param>
public sealed record HealedObject(string Store, string Name, string Problem, string From);

/// <summary>An object that could not be put back.</summary>
/// <param name="Store">Where it is missing or damaged.</param>
/// <param name="Name">Which.</param>
/// <param name="Problem">What is wrong, and why it was not put back: one sentence.</param>
public sealed record UnhealedObject(string Store, string Name, string Problem);

/// <summary>What a healing did.</summary>
public sealed record HealingReport(IReadOnlyList<HealedObject> Healed, IReadOnlyList<UnhealedObject> Unhealed);
