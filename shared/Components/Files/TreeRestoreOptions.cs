namespace FunctionsBackup.Components.Files;

/// <summary>Where a part of a catalog goes.</summary>
/// <param name="Prefix">
/// Path in the catalog whose children go to <paramref name="Target"/>: <c>recordings</c>, <c>pgdata</c>, <c>pg_tblspc/16385</c>.
/// </param>
/// <param name="Target">Absolute directory (for a root that is a single file: the file).</param>
public sealed record RestoreRoot(string Prefix, string Target);

/// <summary>How a tree is written.</summary>
public sealed record TreeRestoreOptions(IReadOnlyList<RestoreRoot> Roots)
{
    /// <summary>Globs on catalog paths relative to the root; empty: all.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>
    /// Write only what differs from what is there (by chunk id), in place; implies that existing files may be overwritten.
    /// </summary>
    public bool Delta { get; init; }

    /// <summary>With <see cref="Delta"/>: also remove what the recovery point does not have.</summary>
    public bool DeleteExtra { get; init; }

    /// <summary>Existing files may be replaced. Otherwise a target that exists and is not an empty directory is refused.</summary>
    public bool Overwrite { get; init; }

    /// <summary>
    /// Write everything anew into a staging directory beside each target and swap it in when all is complete (<see cref="Delta"/> then only
    /// permits to replace what is there). A failure leaves the target untouched.
    /// </summary>
    public bool Staging { get; init; }

    /// <summary>Restore owners (needs root) and special files; modes and times are always restored.</summary>
    public bool Ownership { get; init; } = true;

    /// <summary>
    /// With <see cref="Ownership"/>: owners by the names that the backup noted, where this machine knows them, instead of by number.
    /// </summary>
    public bool OwnersByName { get; init; }

    /// <summary>Make everything durable before returning.</summary>
    public bool Sync { get; init; } = true;

    public int Parallelism { get; init; } = 2;
}

/// <summary>What a restore did.</summary>
/// <param name="Files">Files in place, changed or not.</param>
/// <param name="Bytes">Their bytes.</param>
/// <param name="WrittenBytes">Bytes that were written.</param>
/// <param name="Warnings">One sentence each: what could not be restored exactly.</param>
/// <param name="Damaged">
/// Catalog paths that could not be restored because the repository is damaged; they are not left behind as if good.
/// </param>
public sealed record TreeRestoreReport(
    long Files, long Bytes, long WrittenBytes, IReadOnlyList<string> Warnings, IReadOnlyList<string> Damaged);

/// <summary>What a restore would do, from the catalog and the index alone.</summary>
public sealed record TreeRestorePlan(long Files, long Bytes, long StoredBytes, long Requests);
