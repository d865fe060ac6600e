using System.IO.Enumeration;
using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>Lists one folder at a time. Symbolic links and whatever has a name that no object can have are not the store's, and left out.</summary>
internal static class FolderLister
{
    private static readonly EnumerationOptions All = new() { AttributesToSkip = 0, IgnoreInaccessible = false, RecurseSubdirectories = false };

    /// <summary>A folder's entry; the name of a folder ends with <c>/</c>, so that the order of entries is the order of object names.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder may not be read.</exception>
    public static string[] Read(string path)
    {
        var entries = new FileSystemEnumerable<string>(
            path,
            (ref FileSystemEntry entry) => entry.IsDirectory ? $"{entry.FileName}/" : entry.FileName.ToString(),
            All)
        {
            ShouldIncludePredicate = (ref FileSystemEntry entry) =>
                ObjectName.IsSegment(entry.FileName) && (entry.Attributes & FileAttributes.ReparsePoint) == 0,
        }.ToArray();
        Array.Sort(entries, StringComparer.Ordinal);
        return entries;
    }

    /// <summary>The objects among <paramref name="names"/>; what vanished meanwhile is left out.</summary>
    public static List<ObjectInfo> Describe(StoreLayout layout, ReadOnlySpan<string> names)
    {
        var objects = new List<ObjectInfo>(names.Length);
        foreach (var name in names)
        {
            var error = PosixFile.Status(layout.PathOf(name), out var status);
            if (error is Errno.ENOENT or Errno.ENOTDIR)
            {
                layout.EnsurePresent();
                continue;
            }

            if (error != Errno.None) throw FileSystemErrors.Translate(error, $"look at {name}", layout.Root);
            if (status.IsRegularFile) objects.Add(new ObjectInfo(name, status.Size, status.Modified));
        }

        return objects;
    }
}
