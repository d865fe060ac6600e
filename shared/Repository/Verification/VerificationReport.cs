namespace FunctionsBackup.Repository.Verification;

/// <summary>How thoroughly the repository is checked.</summary>
public enum VerificationLevel
{
    /// <summary>Every pack that the index names is there with its size; every record can be read.</summary>
    Quick,

    /// <summary>Quick, and some packs in full: those whose last check is longest ago.</summary>
    Sample,

    /// <summary>Every pack: hash, decryption, decompression, id of every chunk; every chunk of every recovery point is found.</summary>
    Full,
}

/// <summary>What to verify.</summary>
public sealed record VerificationOptions(VerificationLevel Level)
{
    /// <summary>For <see cref="VerificationLevel.Sample"/>: percent of the packs, more than 0, at most 100.</summary>
    public double SamplePercent { get; init; } = 10;

    /// <summary>Only what these recovery points need; empty: everything.</summary>
    public IReadOnlyList<string> SnapshotIds { get; init; } = [];

    public int Parallelism { get; init; } = 2;
}

/// <summary>Something that is not as it was written.</summary>
/// <param name="ObjectName">The object concerned.</param>
/// <param name="Problem">One sentence.</param>
/// <param name="Snapshots">Ids of the recovery points that it touches.</param>
/// <param name="Mend">The command that repairs or marks it.</param>
public sealed record Defect(string ObjectName, string Problem, IReadOnlyList<string> Snapshots, string Mend);

/// <summary>What a verification found.</summary>
/// <param name="Level">How thorough it was.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="FinishedAt">When it ended.</param>
/// <param name="Snapshots">Recovery points whose records were checked.</param>
/// <param name="Packs">Packs in the index.</param>
/// <param name="PacksRead">Packs that were read in full.</param>
/// <param name="BytesRead">Their bytes.</param>
/// <param name="UnreferencedPacks">Packs in the store that no index names: left by interrupted backups; prune collects them.</param>
/// <param name="Defects">Empty: all is well.</param>
public sealed record VerificationReport(
    VerificationLevel Level, DateTimeOffset StartedAt, DateTimeOffset FinishedAt, int Snapshots, int Packs, int PacksRead, long BytesRead,
    int UnreferencedPacks, IReadOnlyList<Defect> Defects)
{
    /// <summary>What is worth knowing and no damage, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}
