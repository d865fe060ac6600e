using System.Runtime.InteropServices;

namespace FunctionsBackup.Storage.Posix;

/// <summary>What statx(2) tells of a file, as far as a store needs it.</summary>
/// <param name="Mode">Type and permission bits.</param>
/// <param name="Links">Names that the file has; 0 once it is deleted but still open.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Device">Major and minor number of the device.</param>
/// <param name="Inode">The file's number on that device.</param>
/// <param name="Modified">Time of the last write.</param>
internal readonly record struct FileStatus(int Mode, uint Links, long Size, ulong Device, ulong Inode, DateTimeOffset Modified)
{
    private const int TypeMask = 0xF000;

    /// <summary>Size of <c>struct statx</c>, linux/stat.h.</summary>
    internal const int NativeSize = 256;

    public bool IsRegularFile => (Mode & TypeMask) == 0x8000;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    internal static FileStatus Parse(ReadOnlySpan<byte> statx) => new(
        MemoryMarshal.Read<ushort>(statx[28..]),
        MemoryMarshal.Read<uint>(statx[16..]),
        MemoryMarshal.Read<long>(statx[40..]),
        ((ulong)MemoryMarshal.Read<uint>(statx[136..]) << 32) | MemoryMarshal.Read<uint>(statx[140..]),
        MemoryMarshal.Read<ulong>(statx[32..]),
        Time(MemoryMarshal.Read<long>(statx[112..]), MemoryMarshal.Read<uint>(statx[120..])));

    private static DateTimeOffset Time(long seconds, uint nanoseconds)
    {
        // A file system may hold times that .NET cannot; the nearest it can is near enough.
        var minimum = DateTimeOffset.MinValue.ToUnixTimeSeconds();
        var maximum = DateTimeOffset.MaxValue.ToUnixTimeSeconds() - 1;
        return DateTimeOffset.FromUnixTimeSeconds(Math.Clamp(seconds, minimum, maximum)).AddTicks(Math.Min(nanoseconds, 999_999_999) / 100);
    }
}
