namespace FunctionsBackup.Repository.Collection;

/// <summary>How garbage is collected.</summary>
public sealed record CollectionOptions
{
    /// <summary>How long an unneeded pack stays after it was marked; must be longer than the longest backup.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Packs whose needed part is smaller than this are rewritten, 0 to 1.</summary>
    public double RepackBelow { get; init; } = 0.5;

    /// <summary>Change nothing, only say what would be done.</summary>
    public bool DryRun { get; init; }

    public int Parallelism { get; init; } = 2;

    /// <summary>
    /// Recovery points that nothing keeps but the lock on their record: what they alone need is not locked any further. Their ids.
    /// </summary>
    public IReadOnlySet<string> Expired { get; init; } = new HashSet<string>();

    /// <summary>Other objects that nothing needs and that only their locks keep, by name: WAL.</summary>
    public IReadOnlySet<string> Unneeded { get; init; } = new HashSet<string>();
}

/// <summary>What a collection did, or would do.</summary>
/// <param name="DeletedPacks">Packs removed: marked earlier, their grace time over, still not needed.</param>
/// <param name="FreedBytes">Their bytes.</param>
/// <param name="MarkedPacks">Packs marked now; they are removed by a collection after <paramref name="RemovableAt"/>.</param>
/// <param name="WaitingBytes">Bytes of all marked packs that wait for their grace time.</param>
/// <param name="RemovableAt">When the last of them may go; null if none waits.</param>
/// <param name="RepackedPacks">Packs whose needed blocks were copied to new packs; they are among the marked ones.</param>
/// <param name="UndeletedPacks">Packs marked earlier that a newer recovery point needs: kept.</param>
/// <param name="MergedSegments">Index segments merged into few.</param>
public sealed record CollectionReport(
    int DeletedPacks, long FreedBytes, int MarkedPacks, long WaitingBytes, DateTimeOffset? RemovableAt, int RepackedPacks, int UndeletedPacks,
    int MergedSegments)
{
    /// <summary>What nothing needs and a lock keeps, by the end of the locks, the first to end first. It is marked a grace time before.</summary>
    public IReadOnlyList<LockedShare> Locked { get; init; } = [];

    /// <summary>Objects whose locks were renewed, or are to be.</summary>
    public int RenewedLocks { get; init; }
}

/// <summary>What is freed when locks end.</summary>
/// <param name="Until">When they end.</param>
/// <param name="Objects">How many objects.</param>
/// <param name="Bytes">Their bytes.</param>
public sealed record LockedShare(DateTimeOffset Until, int Objects, long Bytes);
