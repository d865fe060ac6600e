using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository.Catalogs;

/// <summary>What an entry of a catalog is.</summary>
public enum EntryKind : byte
{
    File = 1,
    Directory = 2,
    SymbolicLink = 3,
    Fifo = 4,
    CharacterDevice = 5,
    BlockDevice = 6,
}

/// <summary>One file, directory or special file of a snapshot.</summary>
/// <remarks>
/// A catalog holds its entries in the order of a depth-first walk: compare paths as bytes with <c>/</c> lowest, so that a directory comes
/// directly before what it holds (<see cref="CatalogOrder"/>). Every directory comes before its children. The root is not an entry.
/// </remarks>
public sealed record CatalogEntry
{
    /// <summary>Path relative to the snapshot's root, bytes as the system gave them, joined by <c>/</c>, no leading or trailing <c>/</c>.</summary>
    public required ReadOnlyMemory<byte> Path { get; init; }

    public required EntryKind Kind { get; init; }

    /// <summary>Permission bits including set-uid, set-gid and sticky: <c>st_mode &amp; 07777</c>.</summary>
    public uint Mode { get; init; }

    public uint UserId { get; init; }

    public uint GroupId { get; init; }

    /// <summary>Modification time, nanoseconds since 1970-01-01 UTC.</summary>
    public long ModifiedNanoseconds { get; init; }

    /// <summary>Inode change time, nanoseconds since 1970-01-01 UTC: kept to recognise unchanged files, never restored.</summary>
    public long ChangedNanoseconds { get; init; }

    public ulong Inode { get; init; }

    public ulong Device { get; init; }

    /// <summary>Device number of a character or block device.</summary>
    public ulong SpecialDevice { get; init; }

    /// <summary>The bytes of a <see cref="EntryKind.File"/>; null for other kinds.</summary>
    public ContentRef? Content { get; init; }

    /// <summary>Target of a symbolic link, bytes as they are.</summary>
    public ReadOnlyMemory<byte> LinkTarget { get; init; }

    /// <summary>
    /// For the second and later names of a hard-linked file: the path of the first one in this snapshot. <see cref="Content"/> is set too,
    /// so that each name can be restored alone.
    /// </summary>
    public ReadOnlyMemory<byte> HardLinkTo { get; init; }

    public IReadOnlyList<ExtendedAttribute> ExtendedAttributes { get; init; } = [];

    /// <summary>
    /// The data subject whose the file is: its content was sealed with that key, and cannot be read when the key was destroyed. Null: nobody's.
    /// </summary>
    public SubjectRef? Subject { get; init; }

    /// <summary>Facts that only one component understands (for PostgreSQL: none so far). At most 64 KiB.</summary>
    public ReadOnlyMemory<byte> Extra { get; init; }
}

/// <summary>An extended attribute, name as bytes (<c>user.comment</c>), value as it is.</summary>
public sealed record ExtendedAttribute(ReadOnlyMemory<byte> Name, ReadOnlyMemory<byte> Value);
