using System.Diagnostics;

namespace FunctionsBackup.Tests.Storage.FileSystem;

/// <summary>A small file system of its own on a new folder, which can fill up, become read-only and go away. Needs root.</summary>
internal sealed class MountedFolder : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <param name="type"><c>tmpfs</c> or <c>ramfs</c>.</param>
    /// <param name="options">Of mount(8): <c>size=1m</c>.</param>
    public MountedFolder(string type, string options)
    {
        try
        {
            Run("mount", "-t", type, "-o", options, "fbackup-test", Path);
        }
        catch
        {
            _folder.Dispose();
            throw;
        }
    }

    public string Path => _folder.Path;

    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", Path);

    /// <summary>Takes the file system away, even while files of it are open.</summary>
    public void Unmount() => Run("umount", "--lazy", Path);

    public void Dispose()
    {
        if (File.ReadLines("/proc/self/mounts").Any(line => line.Split(' ')[1] == Path)) Unmount();
        _folder.Dispose();
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"{program} {string.Join(' ', arguments)}: {error.Trim()} (these tests mount file systems: run them as root)");
    }
}
