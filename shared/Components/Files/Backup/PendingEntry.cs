using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>An entry on its way to the catalog: complete, or being read, or a further name of a file that is.</summary>
/// <param name="Entry">Complete.</param>
/// <param name="Job">Being read.</param>
/// <param name="FurtherName">A further name.</param>
/// <param name="Link">What is known of the file with several names.</param>
/// <param name="Subject">Whose the file is under its further name, should it have to be read under that.</param>
internal readonly record struct PendingEntry(
    CatalogEntry? Entry, FileJob? Job, WalkedEntry? FurtherName, LinkedFile? Link, SubjectKey? Subject = null);

/// <summary>A file that is to be read.</summary>
internal sealed class FileJob(WalkedEntry entry, CatalogEntry? parent, SubjectKey? subject, AppendedFile? appended = null)
{
    private readonly TaskCompletionSource<CatalogEntry?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal WalkedEntry Entry { get; } = entry;

    internal CatalogEntry? Parent { get; } = parent;

    internal SubjectKey? Subject { get; } = subject;

    /// <summary>What only grew since the recovery point before, by its inode; null: read all of it.</summary>
    internal AppendedFile? Appended { get; } = appended;

    /// <summary>The entry; null if the file could not be read.</summary>
    internal Task<CatalogEntry?> Result => _done.Task;

    internal void Complete(CatalogEntry? result) => _done.TrySetResult(result);
}
