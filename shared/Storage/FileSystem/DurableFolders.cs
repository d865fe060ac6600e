using System.Collections.Concurrent;
using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// The folders below the root that objects lie in: made when first needed, and known to be durable themselves. A folder that another
/// process has just made may not be, so the first use of each folder syncs its parent, whoever made it.
/// </summary>
internal sealed class DurableFolders(StoreLayout layout)
{
    private readonly ConcurrentDictionary<string, bool> _durable = new(StringComparer.Ordinal);

    /// <summary>Makes the folders of an object; never the root. ENOENT if the root is gone.</summary>
    public Errno MakeFor(string name) => name.LastIndexOf('/') is var end and > 0 ? Make(name[..end]) : Errno.None;

    /// <summary>Forgets what was known, because a folder turned out to be missing.</summary>
    public void Forget() => _durable.Clear();

    /// <summary>Makes the entry of an object, new or deleted, durable.</summary>
    public Errno SyncFor(string name) =>
        PosixFile.SyncFolder(name.LastIndexOf('/') is var end and > 0 ? layout.PathOf(name[..end]) : layout.Root);

    private Errno Make(string folder)
    {
        if (_durable.ContainsKey(folder)) return Errno.None;
        var end = folder.LastIndexOf('/');
        if (end > 0 && Make(folder[..end]) is var above and not Errno.None) return above;
        var error = PosixFile.MakeFolder(layout.PathOf(folder), StoreLayout.FolderMode);
        if (error is not (Errno.None or Errno.EEXIST)) return error;
        error = SyncFor(folder);
        if (error == Errno.None) _durable.TryAdd(folder, true);
        return error;
    }
}
