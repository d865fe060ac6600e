using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files;

/// <summary>How large units are.</summary>
public sealed record FilesPlannerOptions
{
    /// <summary>A unit ends after about so many bytes; a file is never divided.</summary>
    public long UnitBytes { get; init; } = 256L << 20;

    /// <summary>Or after about so many entries.</summary>
    public long UnitEntries { get; init; } = 20_000;

    /// <summary>Units become larger where there would be more.</summary>
    public int MaximumUnits { get; init; } = 512;
}

/// <summary>Divides a component of files into units of roughly equal work, by a walk that reads no file.</summary>
public sealed class FilesPlanner(FilesBackup backup)
{
    /// <summary>A unit may end from three quarters of its size on where a path says so: then boundaries stay where they were last time.</summary>
    private const uint CutMask = 0x3F;

    /// <summary>Walks and divides. What cannot be read is no trouble here; the units tell of it.</summary>
    /// <exception cref="FileNotFoundException">None of the paths exists.</exception>
    /// <exception cref="FormatException">A glob is not one.</exception>
    public async ValueTask<FilesPlan> PlanAsync(FilesBackupOptions options, FilesPlannerOptions sizes, CancellationToken cancellationToken)
    {
        var unheard = new WarningList(0);
        var roots = WalkRoot.Find(options.Paths, unheard, backup.ReservedNames);
        try
        {
            var parent = await backup.FindParentAsync(options, roots, cancellationToken).ConfigureAwait(false);
            var (boundaries, units) = await Task.Run(() => Divide(options, sizes, roots, unheard, cancellationToken), cancellationToken)
                .ConfigureAwait(false);
            return new FilesPlan
            {
                Component = options.Component,
                Paths = [.. options.Paths.Select(Path.GetFullPath)],
                Include = options.Include,
                Exclude = options.Exclude,
                Subjects = options.Subjects,
                Full = options.Full,
                OneFileSystem = options.OneFileSystem,
                AppendOnly = options.AppendOnly,
                Parent = parent?.Id,
                Boundaries = boundaries,
                Units = units,
            };
        }
        finally
        {
            foreach (var root in roots) root.Dispose();
        }
    }

    private static (List<byte[]> Boundaries, List<PlannedUnit> Units) Divide(
        FilesBackupOptions options, FilesPlannerOptions sizes, IReadOnlyList<WalkRoot> roots, WarningList unheard,
        CancellationToken cancellationToken)
    {
        var walker = new TreeWalker(new WalkOptions(GlobSet.Parse(options.Include), GlobSet.Parse(options.Exclude), options.OneFileSystem), unheard);
        var (boundaries, units) = (new List<byte[]>(), new List<PlannedUnit>());
        var (bytesLimit, entriesLimit) = (sizes.UnitBytes, sizes.UnitEntries);
        long entries = 0, bytes = 0;
        foreach (var entry in roots.SelectMany(walker.Walk))
        {
            cancellationToken.ThrowIfCancellationRequested();
            var isFull = bytes >= bytesLimit || entries >= entriesLimit;
            var isNearlyFull = bytes >= bytesLimit / 4 * 3 || entries >= entriesLimit / 4 * 3;
            if (entries > 0 && (isFull || (isNearlyFull && (Hash(entry.Path) & CutMask) == 0)))
            {
                boundaries.Add(entry.Path);
                units.Add(new PlannedUnit(entries, bytes));
                (entries, bytes) = (0, 0);
                if (units.Count >= 2 * sizes.MaximumUnits)
                {
                    Halve(boundaries, units);
                    (bytesLimit, entriesLimit) = (2 * bytesLimit, 2 * entriesLimit);
                }
            }

            entries++;
            if (entry.Kind == EntryKind.File) bytes += entry.Status.Size;
        }

        units.Add(new PlannedUnit(entries, bytes));
        while (units.Count > sizes.MaximumUnits) Halve(boundaries, units);
        return (boundaries, units);
    }

    /// <summary>Makes one unit of each two.</summary>
    private static void Halve(List<byte[]> boundaries, List<PlannedUnit> units)
    {
        var (joined, kept) = (new List<PlannedUnit>(), new List<byte[]>());
        for (var i = 0; i < units.Count; i += 2)
        {
            joined.Add(i + 1 < units.Count ? new PlannedUnit(units[i].Entries + units[i + 1].Entries, units[i].Bytes + units[i + 1].Bytes) : units[i]);
            if (i + 1 < boundaries.Count) kept.Add(boundaries[i + 1]);
        }

        // The last boundary stands before the unit that is still being counted, if there is one.
        if (units.Count % 2 == 1 && boundaries.Count == units.Count) kept.Add(boundaries[^1]);
        units.Clear();
        units.AddRange(joined);
        boundaries.Clear();
        boundaries.AddRange(kept);
    }

    /// <summary>FNV-1a.</summary>
    private static uint Hash(ReadOnlySpan<byte> path)
    {
        var hash = 2166136261u;
        foreach (var b in path) hash = (hash ^ b) * 16777619u;
        return hash ^ (hash >> 15);
    }
}
