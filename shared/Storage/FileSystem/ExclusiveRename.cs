using FunctionsBackup.Storage.Posix;

namespace FunctionsBackup.Storage.FileSystem;

/// <summary>Gives a file another name, only if that name is free: in one step, whoever else tries.</summary>
internal static class ExclusiveRename
{
    /// <summary>EEXIST if the name is taken.</summary>
    public static Errno Move(string from, string to)
    {
        var error = PosixFile.RenameNoReplace(from, to);
        return error is Errno.EINVAL or Errno.ENOSYS ? MoveByLink(from, to) : error;
    }

    /// <summary>For file systems whose rename knows no such promise (NFS, some FUSE): a hard link has always been exclusive.</summary>
    internal static Errno MoveByLink(string from, string to)
    {
        var error = PosixFile.Link(from, to);
        // An NFS server's answer may get lost; the repeated request then finds the link of the first (link(2), NOTES).
        if (error == Errno.EEXIST && SameFile(from, to)) error = Errno.None;
        return error == Errno.None ? PosixFile.Unlink(from) : error;
    }

    private static bool SameFile(string a, string b) =>
        PosixFile.Status(a, out var first) == Errno.None && PosixFile.Status(b, out var second) == Errno.None
        && first.Device == second.Device && first.Inode == second.Inode;
}
