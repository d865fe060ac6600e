using FunctionsBackup.Components.Files.Globs;

namespace FunctionsBackup.Components.Files.Walking;

/// <summary>How a tree is walked.</summary>
/// <param name="Include">If not empty, only files that match, or that lie in a directory that matches.</param>
/// <param name="Exclude">What is left out; an excluded directory is not entered.</param>
/// <param name="OneFileSystem">
/// Do not enter directories on which another file system is mounted; they are kept as empty directories.
/// </param>
public sealed record WalkOptions(GlobSet Include, GlobSet Exclude, bool OneFileSystem = false)
{
    /// <summary>Only this stretch; null: everything.</summary>
    public WalkRange? Range { get; init; }
}
