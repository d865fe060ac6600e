using System.Text.Json.Nodes;
using FunctionsBackup.Components.Files.Backup;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository.Runs;

namespace FunctionsBackup.Components.Files;

/// <summary>
/// How a component of files is divided into units. Kept with the run, so that all units agree, whatever becomes of the configuration or of
/// newer recovery points meanwhile.
/// </summary>
public sealed record FilesPlan
{
    public required string Component { get; init; }

    /// <summary>As in <see cref="FilesBackupOptions.Paths"/>, absolute.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>Names of buckets instead of paths, each a unit, in order.</summary>
    public IReadOnlyList<string> Buckets { get; init; } = [];

    public IReadOnlyList<string> Include { get; init; } = [];

    public IReadOnlyList<string> Exclude { get; init; } = [];

    public IReadOnlyList<string> Subjects { get; init; } = [];

    public bool Full { get; init; }

    public bool OneFileSystem { get; init; }

    public bool AppendOnly { get; init; }

    /// <summary>The snapshot that unchanged files are taken over from; null: everything is read.</summary>
    public string? Parent { get; init; }

    /// <summary>Each where a unit ends and the next one begins: paths in catalog order. One less than there are units.</summary>
    public IReadOnlyList<byte[]> Boundaries { get; init; } = [];

    /// <summary>What the walk counted for each unit; sizes are of files as they were then.</summary>
    public IReadOnlyList<PlannedUnit> Units { get; init; } = [];

    /// <summary>The options for one of its units.</summary>
    public FilesBackupOptions ToOptions(int parallelism) => new(Component, Paths)
    {
        Include = Include, Exclude = Exclude, Subjects = Subjects, Full = Full, OneFileSystem = OneFileSystem, AppendOnly = AppendOnly,
        Parallelism = parallelism,
    };

    /// <summary>The stretch of a unit; null where there is only one.</summary>
    public WalkRange? RangeOf(int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)index, (uint)Boundaries.Count, nameof(index));
        if (Boundaries.Count == 0) return null;
        return new WalkRange(index == 0 ? null : Boundaries[index - 1], index == Boundaries.Count ? null : Boundaries[index]);
    }

    /// <summary>Puts the details of the units together.</summary>
    public static JsonObject? MergeDetails(IReadOnlyList<RunPart> parts)
    {
        var all = parts.Select(p => FilesBackupDetails.FromJson(p.Details)).OfType<FilesBackupDetails>().ToList();
        if (all.Count == 0) return null;
        return (all[0] with
        {
            Paths = Join(all, d => d.Paths),
            Sources = [.. all.SelectMany(d => d.Sources).Order(StringComparer.Ordinal)],
            Excluded = all.Sum(d => d.Excluded),
            Sockets = all.Sum(d => d.Sockets),
            Unchanged = all.Sum(d => d.Unchanged),
            Continued = all.Sum(d => d.Continued),
            Users = Join(all, d => d.Users),
            Groups = Join(all, d => d.Groups),
        }).ToJson();
    }

    private static SortedDictionary<string, string> Join(
        List<FilesBackupDetails> all, Func<FilesBackupDetails, IReadOnlyDictionary<string, string>> part)
    {
        var joined = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (key, value) in all.SelectMany(part)) joined[key] = value;
        return joined;
    }
}

/// <summary>What a walk counted for a unit.</summary>
/// <param name="Entries">Files, directories and the rest.</param>
/// <param name="Bytes">Bytes of files.</param>
public sealed record PlannedUnit(long Entries, long Bytes);
