using System.IO.Enumeration;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// Lists one folder at a time. Symbolic links and whatever has a name that no object can have are not the store's, and are left out.
/// </summary>
internal sealed class FolderLister(StoreLayout layout)
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>
    /// The names in a folder; that of a folder ends with <c>/</c>, so that the order of entries is the order of object names. Empty if
    /// there is no such folder.
    /// </summary>
    /// <param name="prefix">Empty, or a folder and <c>/</c>.</param>
    public string[] Read(string prefix)
    {
        var path = layout.PathOf(prefix.TrimEnd('/'));
        if (prefix.Length == 0) layout.EnsurePresent(); // an empty mount point lists well, and wrongly
        try
        {
            var names = new FileSystemEnumerable<string>(
                path,
                (ref FileSystemEntry entry) => entry.IsDirectory ? $"{entry.FileName}/" : entry.FileName.ToString(),
                All)
            {
                ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                    ObjectName.IsSegment(entry.FileName) && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
            }.ToArray();
            Array.Sort(names, StringComparer.Ordinal);
            return names;
        }
        catch (DirectoryNotFoundException)
        {
            layout.EnsurePresent();
            return [];
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StoreAccessException(
                $"Cannot list folder {path}: permission is denied to user {Environment.UserName}; give that user read access to it.", e);
        }
        catch (IOException e)
        {
            layout.EnsurePresent();
            if (File.Exists(path)) return []; // an object, not a folder
            throw new StoreException($"Cannot list folder {path}: {e.Message}; look into the kernel's log (dmesg).", e, transient: true);
        }
    }

    /// <summary>The objects among <paramref name="names"/>; what vanished meanwhile is left out.</summary>
    public List<ObjectInfo> Describe(IReadOnlyList<string> names)
    {
        var objects = new List<ObjectInfo>(names.Count);
        foreach (var name in names)
            if (layout.Find(name) is { } found) objects.Add(found);
        return objects;
    }
}
