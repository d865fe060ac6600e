using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary><c>struct timespec</c> on 64-bit Linux.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct TimeSpecification
{
    internal const long Omit = 0x3FFFFFFE;

    internal long Seconds;
    internal long Nanoseconds;

    internal static TimeSpecification FromNanoseconds(long value)
    {
        var (seconds, rest) = Math.DivRem(value, 1_000_000_000);
        return rest < 0
            ? new() { Seconds = seconds - 1, Nanoseconds = rest + 1_000_000_000 }
            : new() { Seconds = seconds, Nanoseconds = rest };
    }
}

/// <summary><c>struct statx_timestamp</c> (linux/stat.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct StatxTime
{
    internal long Seconds;
    internal uint Nanoseconds;
    private readonly int _reserved;

    // Times that do not fit into 64 bits of nanoseconds (before 1677, after 2262) are cut to the nearest that does.
    internal readonly long TotalNanoseconds => Seconds switch
    {
        > 9_223_372_035 => long.MaxValue,
        < -9_223_372_036 => long.MinValue,
        _ => (Seconds * 1_000_000_000) + Nanoseconds,
    };
}

/// <summary><c>struct statx</c> (linux/stat.h): the same layout on every architecture.</summary>
[StructLayout(LayoutKind.Sequential, Size = 256)]
internal struct StatxBuffer
{
    internal const uint BasicStatistics = 0x7FF;

    internal uint Mask;
    internal uint BlockSize;
    internal ulong Attributes;
    internal uint Links;
    internal uint User;
    internal uint Group;
    internal ushort Mode;
    private readonly ushort _spare;
    internal ulong Inode;
    internal ulong Size;
    internal ulong Blocks;
    internal ulong AttributesMask;
    internal StatxTime Accessed;
    internal StatxTime Born;
    internal StatxTime Changed;
    internal StatxTime Modified;
    internal uint SpecialMajor;
    internal uint SpecialMinor;
    internal uint DeviceMajor;
    internal uint DeviceMinor;

    internal readonly FileStatus ToStatus() => new()
    {
        FullMode = Mode,
        Links = Links,
        UserId = User,
        GroupId = Group,
        Size = (long)Size,
        Allocated = (long)Blocks * 512,
        Inode = Inode,
        Device = MakeDevice(DeviceMajor, DeviceMinor),
        SpecialDevice = MakeDevice(SpecialMajor, SpecialMinor),
        ModifiedNanoseconds = Modified.TotalNanoseconds,
        ChangedNanoseconds = Changed.TotalNanoseconds,
    };

    // glibc's gnu_dev_makedev, so that the number can be given to mknod as it is.
    private static ulong MakeDevice(uint major, uint minor) =>
        (minor & 0xFF) | ((ulong)(major & 0xFFF) << 8) | ((ulong)(minor & ~0xFFu) << 12) | ((ulong)(major & ~0xFFFu) << 32);
}
