using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>
/// Calls that take a name relative to an open directory. A name is bytes without NUL, one component unless said otherwise; a last component
/// that is a symbolic link is never followed. Each returns the system's error instead of throwing, since callers treat most as ordinary.
/// </summary>
[SkipLocalsInit]
public static unsafe class DirectoryCalls
{
    // Component names are at most 255 bytes; only symbolic link targets and whole paths are longer.
    private const int Inline = 264;

    /// <summary>Opens without following a symbolic link, closing it on exec.</summary>
    public static PosixError Open(Descriptor directory, ReadOnlySpan<byte> name, int flags, uint mode, out Descriptor? file)
    {
        file = null;
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        fixed (byte* path = text)
        {
            int number;
            do
            {
                number = Libc.OpenAt(directory, path, flags | OpenFlags.NoFollow | OpenFlags.CloseOnExec, mode);
            }
            while (number < 0 && LastError() == PosixError.Interrupted);
            if (number < 0) return LastError();
            file = new Descriptor(number);
            return PosixError.None;
        }
    }

    /// <summary>Opens a directory to read and to work in.</summary>
    public static PosixError OpenDirectory(Descriptor directory, ReadOnlySpan<byte> name, out Descriptor? child) =>
        Open(directory, name, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlocking, 0, out child);

    public static PosixError Status(Descriptor directory, ReadOnlySpan<byte> name, out FileStatus status)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text))
        {
            status = default;
            return PosixError.InvalidArgument;
        }

        fixed (byte* path = text) return Status(directory, path, out status);
    }

    /// <param name="directory">Where.</param>
    /// <param name="name">Ends with NUL.</param>
    /// <param name="status">What was found.</param>
    internal static PosixError Status(Descriptor directory, byte* name, out FileStatus status)
    {
        StatxBuffer buffer;
        if (Libc.Statx(directory, name, Libc.NoFollow, StatxBuffer.BasicStatistics, &buffer) != 0)
        {
            status = default;
            return LastError();
        }

        status = buffer.ToStatus();
        return PosixError.None;
    }

    /// <summary>The target of a symbolic link, any length up to the system's limit.</summary>
    public static PosixError ReadLink(Descriptor directory, ReadOnlySpan<byte> name, out byte[] target)
    {
        target = [];
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        Span<byte> buffer = stackalloc byte[4097];
        fixed (byte* path = text)
        fixed (byte* into = buffer)
        {
            var length = Libc.ReadLinkAt(directory, path, into, (nuint)buffer.Length);
            if (length < 0) return LastError();
            if (length == buffer.Length) return PosixError.NameTooLong;
            target = buffer[..(int)length].ToArray();
            return PosixError.None;
        }
    }

    public static PosixError MakeDirectory(Descriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        fixed (byte* path = text) return Result(Libc.MakeDirectoryAt(directory, path, mode));
    }

    public static PosixError MakeSymbolicLink(ReadOnlySpan<byte> target, Descriptor directory, ReadOnlySpan<byte> name)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        var targetText = new byte[target.Length + 1];
        if (!Terminate(name, text) || !Terminate(target, targetText)) return PosixError.InvalidArgument;
        fixed (byte* path = text)
        fixed (byte* to = targetText)
            return Result(Libc.SymbolicLinkAt(to, directory, path));
    }

    /// <summary>A fifo or device.</summary>
    /// <param name="directory">Where.</param>
    /// <param name="name">Its name.</param>
    /// <param name="fullMode">Type and permission bits, as <c>st_mode</c>.</param>
    /// <param name="device">Device number; 0 for a fifo.</param>
    public static PosixError MakeNode(Descriptor directory, ReadOnlySpan<byte> name, uint fullMode, ulong device)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        fixed (byte* path = text) return Result(Libc.MakeNodeAt(directory, path, fullMode, device));
    }

    public static PosixError Link(Descriptor fromDirectory, ReadOnlySpan<byte> from, Descriptor toDirectory, ReadOnlySpan<byte> to)
    {
        Span<byte> fromText = from.Length < Inline ? stackalloc byte[Inline] : new byte[from.Length + 1];
        Span<byte> toText = to.Length < Inline ? stackalloc byte[Inline] : new byte[to.Length + 1];
        if (!Terminate(from, fromText) || !Terminate(to, toText)) return PosixError.InvalidArgument;
        fixed (byte* fromPath = fromText)
        fixed (byte* toPath = toText)
            return Result(Libc.LinkAt(fromDirectory, fromPath, toDirectory, toPath, 0));
    }

    /// <summary>Gives an open file without a name (<see cref="OpenFlags.Unnamed"/>) its name; never replaces.</summary>
    public static PosixError LinkOpen(Descriptor file, Descriptor toDirectory, ReadOnlySpan<byte> to)
    {
        Span<byte> toText = to.Length < Inline ? stackalloc byte[Inline] : new byte[to.Length + 1];
        if (!Terminate(to, toText)) return PosixError.InvalidArgument;
        fixed (byte* toPath = toText)
        {
            // AT_EMPTY_PATH is for root alone; the magic link of /proc does the same for everybody.
            byte empty = 0;
            if (Accounts.IsRoot && Libc.LinkAt(file, &empty, toDirectory, toPath, Libc.EmptyPath) == 0) return PosixError.None;
            if (Accounts.IsRoot && LastError() != PosixError.NoEntry) return LastError();
            fixed (byte* from = DescriptorPath(file))
                return Result(Libc.LinkAt(Libc.CurrentDirectory, from, toDirectory, toPath, Libc.Follow));
        }
    }

    /// <summary>Opens what is open already once more, with other flags.</summary>
    public static PosixError Reopen(Descriptor file, int flags, out Descriptor? again)
    {
        again = null;
        fixed (byte* path = DescriptorPath(file))
        {
            var number = Libc.OpenAt(Libc.CurrentDirectory, path, flags | OpenFlags.CloseOnExec, 0);
            if (number < 0) return LastError();
            again = new Descriptor(number);
            return PosixError.None;
        }
    }

    /// <summary>renameat2(2); how a name that exists already is treated is <paramref name="mode"/>'s matter.</summary>
    public static PosixError Rename(
        Descriptor fromDirectory, ReadOnlySpan<byte> from, Descriptor toDirectory, ReadOnlySpan<byte> to, RenameMode mode)
    {
        Span<byte> fromText = from.Length < Inline ? stackalloc byte[Inline] : new byte[from.Length + 1];
        Span<byte> toText = to.Length < Inline ? stackalloc byte[Inline] : new byte[to.Length + 1];
        if (!Terminate(from, fromText) || !Terminate(to, toText)) return PosixError.InvalidArgument;
        fixed (byte* fromPath = fromText)
        fixed (byte* toPath = toText)
            return Result(Libc.RenameAt(fromDirectory, fromPath, toDirectory, toPath, (uint)mode));
    }

    public static PosixError Unlink(Descriptor directory, ReadOnlySpan<byte> name) => Remove(directory, name, 0);

    public static PosixError RemoveDirectory(Descriptor directory, ReadOnlySpan<byte> name) =>
        Remove(directory, name, Libc.RemoveDirectory);

    public static PosixError SetOwner(Descriptor directory, ReadOnlySpan<byte> name, uint user, uint group)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        fixed (byte* path = text) return Result(Libc.ChangeOwnerAt(directory, path, user, group, Libc.NoFollow));
    }

    /// <summary>Follows a symbolic link: only for names that were just made and are known to be none.</summary>
    public static PosixError SetMode(Descriptor directory, ReadOnlySpan<byte> name, uint mode)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        fixed (byte* path = text) return Result(Libc.ChangeModeAt(directory, path, mode, 0));
    }

    public static PosixError SetModified(Descriptor directory, ReadOnlySpan<byte> name, long nanoseconds)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        var times = stackalloc TimeSpecification[2];
        times[0] = new() { Nanoseconds = TimeSpecification.Omit };
        times[1] = TimeSpecification.FromNanoseconds(nanoseconds);
        fixed (byte* path = text) return Result(Libc.SetTimesAt(directory, path, times, Libc.NoFollow));
    }

    /// <summary>Whether this process may write to what is open here, read-only file systems included.</summary>
    public static PosixError CheckWritable(Descriptor directory)
    {
        var dot = stackalloc byte[2] { (byte)'.', 0 };
        return Result(Libc.AccessAt(directory, dot, 2 | 1, 0x200));
    }

    private static PosixError Remove(Descriptor directory, ReadOnlySpan<byte> name, int flags)
    {
        Span<byte> text = name.Length < Inline ? stackalloc byte[Inline] : new byte[name.Length + 1];
        if (!Terminate(name, text)) return PosixError.InvalidArgument;
        fixed (byte* path = text) return Result(Libc.UnlinkAt(directory, path, flags));
    }

    private static byte[] DescriptorPath(Descriptor file) => [.. ByteName.Parse($"/proc/self/fd/{file.Number}"), 0];

    private static bool Terminate(ReadOnlySpan<byte> name, Span<byte> text)
    {
        if (name.Contains((byte)0)) return false;
        name.CopyTo(text);
        text[name.Length] = 0;
        return true;
    }

    private static PosixError Result(int result) => result == 0 ? PosixError.None : LastError();

    private static PosixError LastError() => (PosixError)Marshal.GetLastPInvokeError();
}

/// <summary>What a rename does with a name that exists (linux/fs.h, RENAME_*).</summary>
public enum RenameMode : uint
{
    /// <summary>Replaces it.</summary>
    Replace = 0,

    /// <summary>Fails with <see cref="PosixError.Exists"/>.</summary>
    NoReplace = 1,

    /// <summary>Swaps the two, atomically.</summary>
    Exchange = 2,
}
