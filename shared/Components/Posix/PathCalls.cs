using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>
/// Calls on absolute paths, which may be longer than PATH_MAX and follow symbolic links: only for paths that a person gave.
/// </summary>
[SkipLocalsInit]
public static unsafe class PathCalls
{
    // PATH_MAX is 4096 with the NUL; longer paths are opened piece by piece.
    private const int Piece = 4000;

    /// <summary>Opens an absolute path.</summary>
    public static PosixError Open(ReadOnlySpan<byte> path, int flags, out Descriptor? file)
    {
        file = null;
        if (path.IsEmpty || path[0] != (byte)'/' || path.Contains((byte)0)) return PosixError.InvalidArgument;
        Descriptor? at = null;
        try
        {
            while (path.Length > Piece)
            {
                var cut = path[..Piece].LastIndexOf((byte)'/');
                if (cut <= 0) return PosixError.NameTooLong;
                var error = OpenPiece(at, path[..cut], OpenFlags.PathOnly | OpenFlags.Directory, out var next);
                if (error != PosixError.None) return error;
                at?.Dispose();
                at = next;
                path = path[cut..].TrimStart((byte)'/');
            }

            return OpenPiece(at, path.IsEmpty ? "."u8 : path, flags, out file);
        }
        finally
        {
            at?.Dispose();
        }
    }

    public static PosixError OpenDirectory(ReadOnlySpan<byte> path, out Descriptor? directory) =>
        Open(path, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NonBlocking, out directory);

    /// <summary>The path with every symbolic link resolved; what it names must exist.</summary>
    public static PosixError Resolve(ReadOnlySpan<byte> path, out byte[] resolved)
    {
        resolved = [];
        if (path.Contains((byte)0)) return PosixError.InvalidArgument;
        if (path.Length > Piece)
        {
            // realpath cannot take it; the path is used as it is.
            resolved = path.ToArray();
            var error = Open(path, OpenFlags.PathOnly, out var file);
            file?.Dispose();
            return error;
        }

        var text = new byte[path.Length + 1];
        path.CopyTo(text);
        fixed (byte* from = text)
        {
            var result = Libc.RealPath(from, null);
            if (result == null) return (PosixError)Marshal.GetLastPInvokeError();
            resolved = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(result).ToArray();
            Libc.Free(result);
            return PosixError.None;
        }
    }

    private static PosixError OpenPiece(Descriptor? at, ReadOnlySpan<byte> path, int flags, out Descriptor? file)
    {
        file = null;
        Span<byte> text = stackalloc byte[Piece + 1];
        path.CopyTo(text);
        text[path.Length] = 0;
        fixed (byte* name = text)
        {
            while (true)
            {
                var number = at is null
                    ? Libc.OpenAt(Libc.CurrentDirectory, name, flags | OpenFlags.CloseOnExec, 0)
                    : Libc.OpenAt(at, name, flags | OpenFlags.CloseOnExec, 0);
                if (number >= 0)
                {
                    file = new Descriptor(number);
                    return PosixError.None;
                }

                var error = (PosixError)Marshal.GetLastPInvokeError();
                if (error != PosixError.Interrupted) return error;
            }
        }
    }
}
