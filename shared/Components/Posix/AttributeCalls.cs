using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Posix;

/// <summary>
/// Extended attributes, of an open file or of a name in an open directory (a symbolic link, a fifo). Values are at most 64 KiB each, as the
/// kernel has it (xattr(7)).
/// </summary>
[SkipLocalsInit]
public static unsafe class AttributeCalls
{
    private const int MaximumSize = 64 << 10;

    /// <summary>All attributes of an open file; empty where the file system has none.</summary>
    public static PosixError ReadAll(Descriptor file, out IReadOnlyList<ExtendedAttribute> attributes) =>
        ReadFrom(file, null, out attributes);

    /// <summary>All attributes of <paramref name="name"/> in <paramref name="directory"/>, itself if it is a symbolic link.</summary>
    public static PosixError ReadAll(
        Descriptor directory, ReadOnlySpan<byte> name, out IReadOnlyList<ExtendedAttribute> attributes)
    {
        fixed (byte* path = ProcessPath(directory, name)) return ReadFrom(directory, path, out attributes);
    }

    public static PosixError Write(Descriptor file, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value) =>
        WriteTo(file, null, attribute, value);

    public static PosixError Write(Descriptor directory, ReadOnlySpan<byte> name, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        fixed (byte* path = ProcessPath(directory, name)) return WriteTo(directory, path, attribute, value);
    }

    public static PosixError Remove(Descriptor file, ReadOnlySpan<byte> attribute)
    {
        fixed (byte* text = Terminated(attribute))
            return Libc.RemoveAttribute(file, text) == 0 ? PosixError.None : LastError();
    }

    private static PosixError ReadFrom(Descriptor file, byte* path, out IReadOnlyList<ExtendedAttribute> attributes)
    {
        attributes = [];
        var small = stackalloc byte[1024];
        var length = path == null ? Libc.ListAttributes(file, small, 1024) : Libc.ListAttributes(path, small, 1024);
        if (length == 0) return PosixError.None;
        if (length > 0) return ReadValues(file, path, new ReadOnlySpan<byte>(small, (int)length), out attributes);
        var error = LastError();
        if (error is PosixError.NotSupported or PosixError.NotImplemented) return PosixError.None;
        if (error != PosixError.Range) return error;
        var large = new byte[MaximumSize];
        fixed (byte* into = large)
        {
            length = path == null ? Libc.ListAttributes(file, into, MaximumSize) : Libc.ListAttributes(path, into, MaximumSize);
            return length < 0 ? LastError() : ReadValues(file, path, large.AsSpan(0, (int)length), out attributes);
        }
    }

    private static PosixError ReadValues(
        Descriptor file, byte* path, ReadOnlySpan<byte> names, out IReadOnlyList<ExtendedAttribute> attributes)
    {
        var found = new List<ExtendedAttribute>();
        var buffer = new byte[MaximumSize];
        attributes = found;
        fixed (byte* into = buffer)
        {
            foreach (var range in names.TrimEnd((byte)0).Split((byte)0))
            {
                var name = names[range];
                nint length;
                fixed (byte* text = Terminated(name))
                    length = path == null
                        ? Libc.GetAttribute(file, text, into, MaximumSize)
                        : Libc.GetAttribute(path, text, into, MaximumSize);
                if (length >= 0) found.Add(new(name.ToArray(), buffer.AsSpan(0, (int)length).ToArray()));

                // One that vanished meanwhile is not there; one that may not be read is not ours to keep.
                else if (LastError() is var error and not (PosixError.NoData or PosixError.NotPermitted or PosixError.AccessDenied))
                    return error;
            }
        }

        return PosixError.None;
    }

    private static PosixError WriteTo(Descriptor file, byte* path, ReadOnlySpan<byte> attribute, ReadOnlySpan<byte> value)
    {
        if (attribute.IsEmpty || attribute.Contains((byte)0)) return PosixError.InvalidArgument;
        fixed (byte* text = Terminated(attribute))
        fixed (byte* from = value)
        {
            var result = path == null
                ? Libc.SetAttribute(file, text, from, (nuint)value.Length, 0)
                : Libc.SetAttribute(path, text, from, (nuint)value.Length, 0);
            return result == 0 ? PosixError.None : LastError();
        }
    }

    // There is no lgetxattrat before Linux 6.13; the magic link of the directory's descriptor does the same.
    private static byte[] ProcessPath(Descriptor directory, ReadOnlySpan<byte> name) =>
        [.. ByteName.Parse($"/proc/self/fd/{directory.Number}/"), .. name, 0];

    private static byte[] Terminated(ReadOnlySpan<byte> name) => [.. name, 0];

    private static PosixError LastError() => (PosixError)Marshal.GetLastPInvokeError();
}
