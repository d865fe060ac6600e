using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>The calls of glibc that are used here. Names are bytes that end with NUL; a result of -1 leaves the reason in errno.</summary>
internal static unsafe partial class Libc
{
    private const string Name = "libc";

    internal const int CurrentDirectory = -100;
    internal const int NoFollow = 0x100;
    internal const int RemoveDirectory = 0x200;
    internal const int Follow = 0x400;
    internal const int EmptyPath = 0x1000;

    [LibraryImport(Name, EntryPoint = "openat", SetLastError = true)]
    internal static partial int OpenAt(int directory, byte* path, int flags, uint mode);

    [LibraryImport(Name, EntryPoint = "openat", SetLastError = true)]
    internal static partial int OpenAt(Descriptor directory, byte* path, int flags, uint mode);

    [LibraryImport(Name, EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport(Name, EntryPoint = "statx", SetLastError = true)]
    internal static partial int Statx(Descriptor directory, byte* path, int flags, uint mask, StatxBuffer* buffer);

    [LibraryImport(Name, EntryPoint = "getdents64", SetLastError = true)]
    internal static partial nint GetDirectoryEntries(Descriptor directory, byte* buffer, nuint size);

    [LibraryImport(Name, EntryPoint = "readlinkat", SetLastError = true)]
    internal static partial nint ReadLinkAt(Descriptor directory, byte* path, byte* buffer, nuint size);

    [LibraryImport(Name, EntryPoint = "pread", SetLastError = true)]
    internal static partial nint PositionalRead(Descriptor file, byte* buffer, nuint count, long offset);

    [LibraryImport(Name, EntryPoint = "pwrite", SetLastError = true)]
    internal static partial nint PositionalWrite(Descriptor file, byte* buffer, nuint count, long offset);

    [LibraryImport(Name, EntryPoint = "lseek", SetLastError = true)]
    internal static partial long Seek(Descriptor file, long offset, int whence);

    [LibraryImport(Name, EntryPoint = "ftruncate", SetLastError = true)]
    internal static partial int Truncate(Descriptor file, long size);

    [LibraryImport(Name, EntryPoint = "fallocate", SetLastError = true)]
    internal static partial int Allocate(Descriptor file, int mode, long offset, long length);

    [LibraryImport(Name, EntryPoint = "fsync", SetLastError = true)]
    internal static partial int Sync(Descriptor file);

    [LibraryImport(Name, EntryPoint = "syncfs", SetLastError = true)]
    internal static partial int SyncFileSystem(Descriptor file);

    [LibraryImport(Name, EntryPoint = "sync_file_range", SetLastError = true)]
    internal static partial int SyncFileRange(Descriptor file, long offset, long count, uint flags);

    [LibraryImport(Name, EntryPoint = "posix_fadvise")]
    internal static partial int Advise(Descriptor file, long offset, long length, int advice);

    [LibraryImport(Name, EntryPoint = "mkdirat", SetLastError = true)]
    internal static partial int MakeDirectoryAt(Descriptor directory, byte* path, uint mode);

    [LibraryImport(Name, EntryPoint = "symlinkat", SetLastError = true)]
    internal static partial int SymbolicLinkAt(byte* target, Descriptor directory, byte* path);

    [LibraryImport(Name, EntryPoint = "linkat", SetLastError = true)]
    internal static partial int LinkAt(Descriptor fromDirectory, byte* from, Descriptor toDirectory, byte* to, int flags);

    [LibraryImport(Name, EntryPoint = "linkat", SetLastError = true)]
    internal static partial int LinkAt(int fromDirectory, byte* from, Descriptor toDirectory, byte* to, int flags);

    [LibraryImport(Name, EntryPoint = "mknodat", SetLastError = true)]
    internal static partial int MakeNodeAt(Descriptor directory, byte* path, uint mode, ulong device);

    [LibraryImport(Name, EntryPoint = "renameat2", SetLastError = true)]
    internal static partial int RenameAt(Descriptor fromDirectory, byte* from, Descriptor toDirectory, byte* to, uint flags);

    [LibraryImport(Name, EntryPoint = "unlinkat", SetLastError = true)]
    internal static partial int UnlinkAt(Descriptor directory, byte* path, int flags);

    [LibraryImport(Name, EntryPoint = "fchmod", SetLastError = true)]
    internal static partial int ChangeMode(Descriptor file, uint mode);

    [LibraryImport(Name, EntryPoint = "fchmodat", SetLastError = true)]
    internal static partial int ChangeModeAt(Descriptor directory, byte* path, uint mode, int flags);

    [LibraryImport(Name, EntryPoint = "fchownat", SetLastError = true)]
    internal static partial int ChangeOwnerAt(Descriptor directory, byte* path, uint user, uint group, int flags);

    [LibraryImport(Name, EntryPoint = "fchown", SetLastError = true)]
    internal static partial int ChangeOwner(Descriptor file, uint user, uint group);

    [LibraryImport(Name, EntryPoint = "utimensat", SetLastError = true)]
    internal static partial int SetTimesAt(Descriptor directory, byte* path, TimeSpecification* times, int flags);

    [LibraryImport(Name, EntryPoint = "futimens", SetLastError = true)]
    internal static partial int SetTimes(Descriptor file, TimeSpecification* times);

    [LibraryImport(Name, EntryPoint = "faccessat", SetLastError = true)]
    internal static partial int AccessAt(Descriptor directory, byte* path, int mode, int flags);

    [LibraryImport(Name, EntryPoint = "fstatvfs", SetLastError = true)]
    internal static partial int FileSystemStatus(Descriptor file, ulong* buffer);

    [LibraryImport(Name, EntryPoint = "realpath", SetLastError = true)]
    internal static partial byte* RealPath(byte* path, byte* resolved);

    [LibraryImport(Name, EntryPoint = "flistxattr", SetLastError = true)]
    internal static partial nint ListAttributes(Descriptor file, byte* list, nuint size);

    [LibraryImport(Name, EntryPoint = "llistxattr", SetLastError = true)]
    internal static partial nint ListAttributes(byte* path, byte* list, nuint size);

    [LibraryImport(Name, EntryPoint = "fgetxattr", SetLastError = true)]
    internal static partial nint GetAttribute(Descriptor file, byte* name, byte* value, nuint size);

    [LibraryImport(Name, EntryPoint = "lgetxattr", SetLastError = true)]
    internal static partial nint GetAttribute(byte* path, byte* name, byte* value, nuint size);

    [LibraryImport(Name, EntryPoint = "fsetxattr", SetLastError = true)]
    internal static partial int SetAttribute(Descriptor file, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Name, EntryPoint = "lsetxattr", SetLastError = true)]
    internal static partial int SetAttribute(byte* path, byte* name, byte* value, nuint size, int flags);

    [LibraryImport(Name, EntryPoint = "fremovexattr", SetLastError = true)]
    internal static partial int RemoveAttribute(Descriptor file, byte* name);

    [LibraryImport(Name, EntryPoint = "lremovexattr", SetLastError = true)]
    internal static partial int RemoveAttribute(byte* path, byte* name);

    [LibraryImport(Name, EntryPoint = "geteuid")]
    internal static partial uint EffectiveUser();

    [LibraryImport(Name, EntryPoint = "getegid")]
    internal static partial uint EffectiveGroup();

    [LibraryImport(Name, EntryPoint = "getpwuid_r")]
    internal static partial int GetUser(uint id, byte** record, byte* buffer, nuint size, byte*** result);

    [LibraryImport(Name, EntryPoint = "getgrgid_r")]
    internal static partial int GetGroup(uint id, byte** record, byte* buffer, nuint size, byte*** result);

    [LibraryImport(Name, EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetUser(string name, byte* record, byte* buffer, nuint size, byte*** result);

    [LibraryImport(Name, EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int GetGroup(string name, byte* record, byte* buffer, nuint size, byte*** result);

    [LibraryImport(Name, EntryPoint = "free")]
    internal static partial void Free(void* memory);
}
