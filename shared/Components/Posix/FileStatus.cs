using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Posix;

/// <summary>What statx(2) tells of a file. Times are nanoseconds since 1970-01-01 UTC.</summary>
public readonly record struct FileStatus
{
    private const uint TypeMask = 0xF000;

    /// <summary>File type and permission bits, as <c>st_mode</c>.</summary>
    public uint FullMode { get; init; }

    public uint Links { get; init; }

    public uint UserId { get; init; }

    public uint GroupId { get; init; }

    public long Size { get; init; }

    /// <summary>Allocated space, bytes.</summary>
    public long Allocated { get; init; }

    public ulong Inode { get; init; }

    public ulong Device { get; init; }

    public ulong SpecialDevice { get; init; }

    public long ModifiedNanoseconds { get; init; }

    public long ChangedNanoseconds { get; init; }

    /// <summary>Permission bits including set-uid, set-gid and sticky.</summary>
    public uint Mode => FullMode & 0xFFF;

    public bool IsSocket => (FullMode & TypeMask) == 0xC000;

    /// <summary>Null for a socket, or a kind that Linux does not have yet.</summary>
    public EntryKind? Kind => (FullMode & TypeMask) switch
    {
        0x8000 => EntryKind.File,
        0x4000 => EntryKind.Directory,
        0xA000 => EntryKind.SymbolicLink,
        0x1000 => EntryKind.Fifo,
        0x2000 => EntryKind.CharacterDevice,
        0x6000 => EntryKind.BlockDevice,
        _ => null,
    };

    public bool IsSameFile(in FileStatus other) => Inode == other.Inode && Device == other.Device;

    /// <summary>Whether nothing says that the content changed between the two.</summary>
    public bool IsUnchangedSince(in FileStatus before) =>
        IsSameFile(before) && Size == before.Size && ModifiedNanoseconds == before.ModifiedNanoseconds
        && ChangedNanoseconds == before.ChangedNanoseconds;
}
