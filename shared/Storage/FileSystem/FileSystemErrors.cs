using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>Turns error numbers into the store's exceptions: one sentence on what is wrong, with the mend.</summary>
internal static class FileSystemErrors
{
    /// <param name="error">What the system said.</param>
    /// <param name="deed">What was tried, as it follows "Cannot": <c>write object packs/ab/…</c>.</param>
    /// <param name="root">The store's folder.</param>
    public static StoreException Translate(Errno error, string deed, string root)
    {
        var inner = new IOException($"{Name(error)} ({(int)error})", (int)error);
        var cannot = $"Cannot {deed} in folder {root}:";
        return error switch
        {
            Errno.ENOSPC => new StoreFullException($"{cannot} the disk is full{Free(root)}; make room or prune the repository.", inner),
            Errno.EDQUOT => new StoreFullException($"{cannot} the disk quota is used up; raise it or prune the repository.", inner),
            Errno.EROFS => new StoreAccessException($"{cannot} the file system is mounted read-only; remount it for writing.", inner),
            Errno.EACCES or Errno.EPERM => new StoreAccessException(
                $"{cannot} permission is denied to user {Environment.UserName}; " +
                "give that user read and write access to the folder, and look for immutable files (lsattr).",
                inner),
            Errno.ESTALE or Errno.ENODEV or Errno.ENXIO or Errno.ENOTCONN or Errno.ETIMEDOUT or Errno.EHOSTDOWN or Errno.EHOSTUNREACH
                or Errno.ENETUNREACH => new StoreUnavailableException(
                    $"{cannot} the disk or file server does not answer ({Name(error)}); mount it again.", inner),
            Errno.EIO or Errno.EREMOTEIO => new StoreException(
                $"{cannot} the disk reports an input/output error; look into the kernel's log (dmesg) and verify the repository.", inner),
            Errno.ENFILE or Errno.EMFILE => new StoreException(
                $"{cannot} too many files are open; raise the limit (ulimit -n).", inner, transient: true),
            Errno.EAGAIN or Errno.EBUSY or Errno.ENOMEM => new StoreException(
                $"{cannot} the system is short of resources ({Name(error)}); try again.", inner, transient: true),
            Errno.EFBIG => new StoreException(
                $"{cannot} the object is larger than the file system or the user's limit allows (ulimit -f); raise the limit.", inner),
            Errno.ENOENT => new StoreException(
                $"{cannot} a file vanished meanwhile; keep other programs from cleaning the folder.", inner, transient: true),
            Errno.ENOTDIR or Errno.EISDIR or Errno.EEXIST or Errno.ELOOP => new StoreException(
                $"{cannot} a file, link or folder that is not the store's lies in the way; move it elsewhere.", inner),
            Errno.EMLINK => new StoreException(
                $"{cannot} the file system holds no more entries in one folder; move the repository to one without that limit.", inner),
            _ => new StoreException($"{cannot} the system reports {Name(error)}; look into the kernel's log (dmesg).", inner),
        };
    }

    public static StoreUnavailableException Gone(string root) =>
        new($"Folder {root} is not there (any more); mount its disk, or create the store with 'fbackup init'.");

    public static StoreUnavailableException NotAStore(string root) =>
        new($"Folder {root} does not hold the store (its folder {StoreLayout.IncompleteFolder} is missing); " +
            "mount the disk that belongs there, or run 'fbackup init'.");

    private static string Name(Errno error) => Enum.IsDefined(error) ? error.ToString() : "error";

    private static string Free(string root) =>
        PosixFile.FreeSpace(root, out var bytes) == Errno.None ? $" ({bytes / 1048576} MiB free)" : "";
}
