using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>The file that is there before a delta restore: written in place, or only compared with if it has other names too.</summary>
internal sealed class ExistingFile : IDisposable
{
    private ExistingFile(Descriptor descriptor, in FileStatus status)
    {
        Descriptor = descriptor;
        Size = status.Size;

        // Another name of the same file may lie outside the target, so such a file is never written to.
        IsWritten = status.Links == 1;
    }

    internal Descriptor Descriptor { get; }

    /// <summary>As it was found, bytes.</summary>
    internal long Size { get; }

    /// <summary>Whether it is changed in place; otherwise a new file takes its name if it differs.</summary>
    internal bool IsWritten { get; }

    /// <summary>Looks for a file to compare with. Anything that is no plain readable file is replaced instead: null.</summary>
    internal static ExistingFile? Open(Descriptor directory, byte[] name)
    {
        var error = DirectoryCalls.Open(directory, name, OpenFlags.ReadWrite | OpenFlags.NonBlocking, 0, out var file);
        if (error != PosixError.None) return null;
        if (FileCalls.Status(file!, out var status) == PosixError.None && status.Kind == EntryKind.File) return new ExistingFile(file!, status);
        file!.Dispose();
        return null;
    }

    /// <summary>Reads exactly these bytes; false if they are not there.</summary>
    internal bool TryRead(Span<byte> bytes, long offset) => offset + bytes.Length <= Size
        && FileCalls.Read(Descriptor, bytes, offset, out var read) == PosixError.None && read == bytes.Length;

    /// <summary>Whether there is anything but a hole in this range.</summary>
    internal bool HasData(long offset, long length) => offset < Size
        && FileCalls.FindData(Descriptor, offset, out var data) == PosixError.None && data < offset + length;

    public void Dispose() => Descriptor.Dispose();
}
