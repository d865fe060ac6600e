using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>
/// The files of the recovery point before, by device and inode, so that a log is found again under the name that rotation gave it. Read
/// when the first file asks for it: a backup in which nothing changed has no use for it.
/// </summary>
internal sealed class AppendedFiles(BackupRepository repository, Snapshot before, ParentCatalog parent, Action<string> warn)
{
    /// <summary>Beyond so many files, the rest is read anew when it is renamed: some 30 MB.</summary>
    private const int MaximumFiles = 1 << 16;

    private Dictionary<(ulong Device, ulong Inode), CatalogEntry>? _files;
    private long _continued;

    /// <summary>Files of which only what was new was read.</summary>
    internal long Continued => Interlocked.Read(ref _continued);

    /// <summary>What a file may be the continuation of; null: nothing. Not for concurrent use.</summary>
    internal async ValueTask<AppendedFile?> FindAsync(FileStatus status, CancellationToken cancellationToken)
    {
        _files ??= await LoadAsync(cancellationToken).ConfigureAwait(false);
        if (!_files.TryGetValue((status.Device, status.Inode), out var entry)) return null;
        var size = entry.Content!.Size;
        if (size == 0 || size > status.Size || (size == status.Size && !parent.IsWrittenAt(entry, status))) return null;
        return new AppendedFile(repository, entry, () => Interlocked.Increment(ref _continued));
    }

    private async ValueTask<Dictionary<(ulong Device, ulong Inode), CatalogEntry>> LoadAsync(CancellationToken cancellationToken)
    {
        var files = new Dictionary<(ulong Device, ulong Inode), CatalogEntry>();
        try
        {
            await foreach (var entry in repository.ReadCatalogAsync(before, cancellationToken).ConfigureAwait(false))
            {
                if (entry.Kind != EntryKind.File || entry.Inode == 0) continue;
                if (files.Count == MaximumFiles) break;
                files[(entry.Device, entry.Inode)] = entry with { ExtendedAttributes = [] };
            }
        }
        catch (DamageException damage)
        {
            warn($"The catalog of {before.Id} is damaged, so renamed files behind that point were read anew: {damage.Message}");
        }

        return files;
    }
}
