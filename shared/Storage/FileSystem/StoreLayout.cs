using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>
/// Where things lie: object <c>a/b</c> is file <c>a/b</c> below the root, and half-written objects lie in one folder whose name no object
/// can have. That folder also tells a store from an empty mount point, so only <see cref="Initialize"/> makes it.
/// </summary>
internal sealed class StoreLayout(string root)
{
    public const string IncompleteFolder = "~incomplete";

    // Others never; the group as the umask allows. Objects are write-once, so their files are read-only from the start.
    public const uint FolderMode = 0b111_111_000, ObjectMode = 0b100_100_000;

    private readonly Lock _lock = new();
    private (ulong Device, ulong Inode) _identity;
    private volatile bool _anchored;

    public string Root { get; } = Path.TrimEndingDirectorySeparator(Path.GetFullPath(root));

    public string Incomplete => Path.Join(Root, IncompleteFolder);

    public string PathOf(string name) => Path.Join(Root, name);

    public string NewIncomplete() => Path.Join(Root, IncompleteFolder, Guid.NewGuid().ToString("N"));

    /// <summary>Makes the root durably, with the folders above it, where they are missing. Harmless if all is there.</summary>
    public void Initialize()
    {
        MakeFolder(Root);
        MakeFolder(Incomplete);
    }

    /// <summary>Before the first use: remembers which folder the root is.</summary>
    /// <exception cref="StoreUnavailableException">There is none.</exception>
    public void Anchor()
    {
        if (!_anchored) EnsurePresent();
    }

    /// <summary>
    /// Tells "there is no such object" from "the store is gone": call when the system said ENOENT. The root must be the folder that it was
    /// at first, or at least one that was made to be a store.
    /// </summary>
    /// <exception cref="StoreUnavailableException">The root is gone, or another, empty folder has taken its place.</exception>
    public void EnsurePresent()
    {
        var error = PosixFile.Status(Root, out var status, follow: true);
        if (error is Errno.ENOENT or Errno.ENOTDIR || (error == Errno.None && !status.IsDirectory)) throw FileSystemErrors.Gone(Root);
        if (error != Errno.None) throw FileSystemErrors.Translate(error, "look", Root);
        var found = (status.Device, status.Inode);
        lock (_lock)
        {
            if (_anchored && _identity == found) return;
            // Another folder than before: unmounted and mounted again, or only unmounted?
            if (_anchored && PosixFile.Status(Incomplete, out _) != Errno.None) throw FileSystemErrors.NotAStore(Root);
            _identity = found;
            _anchored = true;
        }
    }

    /// <summary>An object, or null if there is none or something else lies in its place.</summary>
    public ObjectInfo? Find(string name)
    {
        var error = PosixFile.Status(PathOf(name), out var status);
        if (error is Errno.ENOENT or Errno.ENOTDIR)
        {
            EnsurePresent();
            return null;
        }

        Check(error, "look for object", name);
        return status.IsRegularFile ? new ObjectInfo(name, status.Size, status.Modified) : null;
    }

    /// <summary>Throws if <paramref name="error"/> is one.</summary>
    /// <exception cref="StoreException">Says what could not be done, and what to do about it.</exception>
    public void Check(Errno error, string deed, string name)
    {
        if (error == Errno.None) return;
        if (error == Errno.ENOENT) EnsurePresent();
        throw FileSystemErrors.Translate(error, $"{deed} {name}".TrimEnd(), Root);
    }

    private void MakeFolder(string path)
    {
        if (Directory.Exists(path)) return;
        var parent = Path.GetDirectoryName(path) ?? "/";
        MakeFolder(parent);
        var error = PosixFile.MakeFolder(path, FolderMode);
        if (error == Errno.EEXIST && Directory.Exists(path)) error = Errno.None;
        if (error == Errno.None) error = PosixFile.SyncFolder(parent);
        if (error != Errno.None) throw FileSystemErrors.Translate(error, $"create folder {path}", Root);
    }
}
