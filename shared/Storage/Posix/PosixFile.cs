using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace FunctionsBackup.Storage.Posix;

/// <summary>
/// The few file calls that a durable store needs and .NET does not offer (exclusive rename, fsync of folders, unbuffered writes), with the
/// error number as the result instead of an exception. Interrupted calls are repeated.
/// </summary>
internal static unsafe class PosixFile
{
    private const int CurrentFolder = -100;
    private const int StatusOfHandle = 0x1000, DoNotFollow = 0x100;
    private const uint BasicStatus = 0x7ff;
    private const uint NoReplace = 1;

    private const int Write = 0x1, Create = 0x40, Exclusive = 0x80, CloseOnExec = 0x80000, NonBlocking = 0x800;

    private static readonly bool IsArm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;
    private static readonly int Unbuffered = IsArm ? 0x10000 : 0x4000;
    private static readonly int Folder = IsArm ? 0x4000 : 0x10000;
    private static readonly int NoFollow = IsArm ? 0x8000 : 0x20000;

    /// <summary>Opens what is there for reading, folders too: the caller looks at the status of the handle.</summary>
    public static Errno OpenRead(string path, out SafeFileHandle file) =>
        Open(path, CloseOnExec | NoFollow | NonBlocking, 0, out file); // not blocking: somebody may have put a pipe here

    /// <summary>Creates a file that must not exist, for writing, optionally past the page cache (O_DIRECT).</summary>
    public static Errno CreateNew(string path, bool unbuffered, uint mode, out SafeFileHandle file) =>
        Open(path, Write | Create | Exclusive | CloseOnExec | (unbuffered ? Unbuffered : 0), mode, out file);

    /// <summary>One read call.</summary>
    public static Errno ReadAt(SafeFileHandle file, Span<byte> buffer, long offset, out int read)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                read = (int)NativeMethods.ReadAt(file, start, (nuint)buffer.Length, offset);
                if (read >= 0) return Errno.None;
                if (LastError() is var error && error != Errno.EINTR) return error;
            }
        }
    }

    /// <summary>Writes all of <paramref name="buffer"/>.</summary>
    public static Errno WriteAt(SafeFileHandle file, ReadOnlySpan<byte> buffer, long offset)
    {
        fixed (byte* start = buffer)
        {
            for (var done = 0; done < buffer.Length;)
            {
                var written = NativeMethods.WriteAt(file, start + done, (nuint)(buffer.Length - done), offset + done);
                if (written > 0) done += (int)written;
                else if (written == 0) return Errno.EIO;
                else if (LastError() is var error && error != Errno.EINTR) return error;
            }
        }

        return Errno.None;
    }

    public static Errno Truncate(SafeFileHandle file, long length) => Result(NativeMethods.Truncate(file, length));

    /// <summary>Makes the file's bytes and its size durable.</summary>
    public static Errno SyncData(SafeFileHandle file)
    {
        Errno error;
        do error = Result(NativeMethods.SyncData(file));
        while (error == Errno.EINTR);
        return error;
    }

    /// <summary>
    /// Makes a folder's entries durable. File systems that know no such thing (CIFS) answer EINVAL, which counts as done.
    /// </summary>
    public static Errno SyncFolder(string path)
    {
        var error = Open(path, CloseOnExec | Folder, 0, out var folder);
        if (error != Errno.None) return error;
        using (folder)
        {
            do error = Result(NativeMethods.Sync(folder));
            while (error == Errno.EINTR);
        }

        return error == Errno.EINVAL ? Errno.None : error;
    }

    public static Errno MakeFolder(string path, uint mode) => Result(NativeMethods.MakeDirectory(path, mode));

    /// <summary>Renames; EEXIST if the new name is taken, EINVAL or ENOSYS where the file system cannot promise that.</summary>
    public static Errno RenameNoReplace(string from, string to) =>
        Result(NativeMethods.RenameAt(CurrentFolder, from, CurrentFolder, to, NoReplace));

    public static Errno Link(string from, string to) => Result(NativeMethods.Link(from, to));

    public static Errno Unlink(string path) => Result(NativeMethods.Unlink(path));

    /// <summary>Status of a path; a symbolic link is itself, not what it points at.</summary>
    public static Errno Status(string path, out FileStatus status, bool follow = false)
    {
        var buffer = stackalloc byte[FileStatus.NativeSize];
        var result = NativeMethods.Status(CurrentFolder, path, follow ? 0 : DoNotFollow, BasicStatus, buffer);
        return Parse(result, buffer, out status);
    }

    public static Errno Status(SafeFileHandle file, out FileStatus status)
    {
        var buffer = stackalloc byte[FileStatus.NativeSize];
        return Parse(NativeMethods.Status(file, "", StatusOfHandle, BasicStatus, buffer), buffer, out status);
    }

    /// <summary>Bytes that this process may still write to the file system that holds <paramref name="path"/>.</summary>
    public static Errno FreeSpace(string path, out long bytes)
    {
        // struct statvfs of glibc on 64-bit processors: f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, ...: 112 bytes.
        var status = stackalloc ulong[16];
        var error = Result(NativeMethods.FileSystemStatus(path, status));
        bytes = error == Errno.None ? (long)UInt128.Min((UInt128)status[1] * status[4], long.MaxValue) : 0;
        return error;
    }

    private static Errno Parse(int result, byte* buffer, out FileStatus status)
    {
        var error = Result(result);
        status = error == Errno.None ? FileStatus.Parse(new ReadOnlySpan<byte>(buffer, FileStatus.NativeSize)) : default;
        return error;
    }

    private static Errno Open(string path, int flags, uint mode, out SafeFileHandle file)
    {
        while (true)
        {
            var descriptor = NativeMethods.Open(path, flags, mode);
            var error = descriptor >= 0 ? Errno.None : LastError();
            if (error == Errno.EINTR) continue;
            file = new SafeFileHandle(descriptor, ownsHandle: true);
            return error;
        }
    }

    private static Errno Result(int result) => result >= 0 ? Errno.None : LastError();

    private static Errno LastError() => (Errno)Marshal.GetLastPInvokeError();
}
