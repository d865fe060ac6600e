using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Backup;

/// <summary>Files with several names, by device and inode; each is forgotten when its last name was seen. Not for concurrent use.</summary>
internal sealed class HardLinks
{
    private readonly Dictionary<(ulong Device, ulong Inode), LinkedFile> _files = [];

    /// <summary>Files of which not all names were seen.</summary>
    internal IEnumerable<LinkedFile> Open => _files.Values;

    /// <summary>The file behind this name, or null if this is its only name.</summary>
    /// <param name="entry">What the walk found.</param>
    /// <param name="isFirst">Whether no name of the file was seen before.</param>
    internal LinkedFile? Find(WalkedEntry entry, out bool isFirst)
    {
        isFirst = true;
        if (entry.Status.Links < 2 || entry.Kind != EntryKind.File) return null;
        var key = (entry.Status.Device, entry.Status.Inode);
        isFirst = !_files.TryGetValue(key, out var file);
        if (file is null) _files.Add(key, file = new LinkedFile(entry.Status.Links));
        if (--file.NamesLeft == 0) _files.Remove(key);
        return file;
    }
}

/// <summary>A file with several names. <see cref="First"/> is set when its first name goes to the catalog.</summary>
internal sealed class LinkedFile(uint names)
{
    internal uint NamesLeft { get; set; } = names;

    /// <summary>The entry of the first name; null until it was written, and when the file could not be read under it.</summary>
    internal CatalogEntry? First { get; set; }
}
