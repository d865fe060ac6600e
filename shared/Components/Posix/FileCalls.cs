using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>Calls on an open file. Each returns the system's error instead of throwing.</summary>
[SkipLocalsInit]
public static unsafe class FileCalls
{
    private const int SeekData = 3;
    private const int SeekHole = 4;
    private const int KeepSize = 1;
    private const int PunchHole = 2;

    public static PosixError Status(Descriptor file, out FileStatus status)
    {
        StatxBuffer buffer;
        byte empty = 0;
        if (Libc.Statx(file, &empty, Libc.EmptyPath | Libc.NoFollow, StatxBuffer.BasicStatistics, &buffer) != 0)
        {
            status = default;
            return LastError();
        }

        status = buffer.ToStatus();
        return PosixError.None;
    }

    /// <summary>Reads until the buffer is full or the file ends.</summary>
    public static PosixError Read(Descriptor file, Span<byte> buffer, long offset, out int read)
    {
        read = 0;
        fixed (byte* into = buffer)
        {
            while (read < buffer.Length)
            {
                var count = Libc.PositionalRead(file, into + read, (nuint)(buffer.Length - read), offset + read);
                if (count == 0) break;
                if (count > 0) read += (int)count;
                else if (LastError() is var error and not PosixError.Interrupted) return error;
            }
        }

        return PosixError.None;
    }

    /// <summary>Writes all of it.</summary>
    public static PosixError Write(Descriptor file, ReadOnlySpan<byte> bytes, long offset)
    {
        var written = 0;
        fixed (byte* from = bytes)
        {
            while (written < bytes.Length)
            {
                var count = Libc.PositionalWrite(file, from + written, (nuint)(bytes.Length - written), offset + written);
                if (count > 0) written += (int)count;
                else if (count == 0) return PosixError.Io;
                else if (LastError() is var error and not PosixError.Interrupted) return error;
            }
        }

        return PosixError.None;
    }

    /// <summary>
    /// The next run of data at or after <paramref name="offset"/>; <see cref="PosixError.NoDevice"/> when only a hole follows.
    /// </summary>
    public static PosixError FindData(Descriptor file, long offset, out long start) => Seek(file, offset, SeekData, out start);

    /// <summary>The end of the data run that holds <paramref name="offset"/>.</summary>
    public static PosixError FindHole(Descriptor file, long offset, out long start) => Seek(file, offset, SeekHole, out start);

    public static PosixError Truncate(Descriptor file, long size) => Result(Libc.Truncate(file, size));

    /// <summary>Frees a range, which reads as zeros from then on.</summary>
    public static PosixError MakeHole(Descriptor file, long offset, long length) =>
        Result(Libc.Allocate(file, KeepSize | PunchHole, offset, length));

    /// <summary>Makes the file, or an open directory's entries, durable.</summary>
    public static PosixError Sync(Descriptor file) => Result(Libc.Sync(file));

    /// <summary>Makes everything written to the file system of <paramref name="file"/> durable, and tells of write-back errors.</summary>
    public static PosixError SyncFileSystem(Descriptor file) => Result(Libc.SyncFileSystem(file));

    /// <summary>Starts writing a range back without waiting for it.</summary>
    public static void StartWriteBack(Descriptor file, long offset, long length) => _ = Libc.SyncFileRange(file, offset, length, 2);

    public static void Advise(Descriptor file, FileAdvice advice) => _ = Libc.Advise(file, 0, 0, (int)advice);

    public static PosixError SetMode(Descriptor file, uint mode) => Result(Libc.ChangeMode(file, mode));

    public static PosixError SetOwner(Descriptor file, uint user, uint group) => Result(Libc.ChangeOwner(file, user, group));

    public static PosixError SetModified(Descriptor file, long nanoseconds)
    {
        var times = stackalloc TimeSpecification[2];
        times[0] = new() { Nanoseconds = TimeSpecification.Omit };
        times[1] = TimeSpecification.FromNanoseconds(nanoseconds);
        return Result(Libc.SetTimes(file, times));
    }

    /// <summary>Bytes that this process may still use on the file system of <paramref name="file"/>.</summary>
    public static PosixError FreeSpace(Descriptor file, out long bytes)
    {
        // struct statvfs on 64-bit glibc: f_bsize, f_frsize, f_blocks, f_bfree, f_bavail, … 8 bytes each.
        var buffer = stackalloc ulong[32];
        bytes = 0;
        if (Libc.FileSystemStatus(file, buffer) != 0) return LastError();
        var available = Libc.EffectiveUser() == 0 ? buffer[3] : buffer[4];
        bytes = (long)UInt128.Min((UInt128)long.MaxValue, (UInt128)available * buffer[1]);
        return PosixError.None;
    }

    private static PosixError Seek(Descriptor file, long offset, int whence, out long start)
    {
        start = Libc.Seek(file, offset, whence);
        return start >= 0 ? PosixError.None : LastError();
    }

    private static PosixError Result(int result) => result == 0 ? PosixError.None : LastError();

    private static PosixError LastError() => (PosixError)Marshal.GetLastPInvokeError();
}

/// <summary>posix_fadvise(2).</summary>
public enum FileAdvice
{
    Sequential = 2,
    DontNeed = 4,
    NoReuse = 5,
}
