#pragma warning disable CA1822, CA1065, CS9113 // contracts first; bodies follow
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files;

/// <summary>What to back up.</summary>
/// <param name="Component">Name in the configuration: <c>voice_data</c>, <c>logs</c>.</param>
/// <param name="Paths">Directories or files. In the catalog each is a top-level entry named after its last component.</param>
public sealed record FilesBackupOptions(string Component, IReadOnlyList<string> Paths)
{
    /// <summary>If not empty, only files that match one of these globs (gitignore-like: <c>*</c>, <c>**</c>, <c>?</c>, <c>[a-z]</c>).</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    public IReadOnlyList<string> Exclude { get; init; } = [];

    /// <summary>Read every file, also those that size, mtime, ctime and inode say are unchanged.</summary>
    public bool Full { get; init; }

    public int Parallelism { get; init; } = 2;
}

/// <summary>Backs up directory trees.</summary>
public sealed class FilesBackup(BackupRepository repository, TimeProvider time)
{
    /// <summary>Takes one recovery point. Files that change, vanish or cannot be read become warnings of the snapshot; the rest goes on.</summary>
    public ValueTask<Snapshot> RunAsync(FilesBackupOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken) =>
        throw new NotImplementedException();

    public BackupRepository Repository { get; } = repository;

    public TimeProvider Time { get; } = time;
}
