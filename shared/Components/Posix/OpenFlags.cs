using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.Posix;

/// <summary>Flags of open(2). Four of them differ between x64 and arm64 (asm/fcntl.h). O_CLOEXEC is always added.</summary>
public static class OpenFlags
{
    public const int ReadOnly = 0;
    public const int WriteOnly = 1;
    public const int ReadWrite = 2;
    public const int Create = 0x40;
    public const int Exclusive = 0x80;
    public const int NonBlocking = 0x800;
    public const int NoAccessTime = 0x40000;
    public const int CloseOnExec = 0x80000;
    public const int PathOnly = 0x200000;

    private static readonly bool Arm = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 or Architecture.Arm;

    public static readonly int Directory = Arm ? 0x4000 : 0x10000;
    public static readonly int NoFollow = Arm ? 0x8000 : 0x20000;

    /// <summary>Opens a file without a name in a directory; it vanishes unless it is linked.</summary>
    public static readonly int Unnamed = 0x400000 | Directory;

    public static readonly int Direct = Arm ? 0x10000 : 0x4000;
}
