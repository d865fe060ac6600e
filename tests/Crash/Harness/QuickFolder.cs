namespace FunctionsBackup.Tests.Crash.Harness;

/// <summary>
/// New folders in memory where there is room: SIGKILL loses no more in a memory file system than on a disk, and hundreds of crashes do not
/// wait for a disk.
/// </summary>
internal static class QuickFolder
{
    private const string Memory = "/dev/shm";
    private const long Room = 1L << 30;

    public static string Create() =>
        Directory.Exists(Memory) && new DriveInfo(Memory).AvailableFreeSpace > Room
            ? Directory.CreateDirectory(Path.Combine(Memory, "fbackup-crash-" + Guid.NewGuid().ToString("N"))).FullName
            : Directory.CreateTempSubdirectory("fbackup-crash-").FullName;
}
