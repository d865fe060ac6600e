using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>An entry on its way to the catalog: complete, or being read, or a further name of a file that is.</summary>
internal readonly record struct PendingEntry(CatalogEntry? Entry, FileJob? Job, WalkedEntry? FurtherName, LinkedFile? Link);

/// <summary>A file that is to be read.</summary>
internal sealed class FileJob(WalkedEntry entry, CatalogEntry? parent)
{
    private readonly TaskCompletionSource<CatalogEntry?> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal WalkedEntry Entry { get; } = entry;

    internal CatalogEntry? Parent { get; } = parent;

    /// <summary>The entry; null if the file could not be read.</summary>
    internal Task<CatalogEntry?> Result => _done.Task;

    internal void Complete(CatalogEntry? result) => _done.TrySetResult(result);
}
