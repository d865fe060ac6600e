using System.Diagnostics;
using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Tests.Components.Files;

/// <summary>A folder of a test's own, removed with all that hostile content in it when the test ends.</summary>
public sealed class TempTree : IDisposable
{
    public TempTree()
    {
        Path = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "fbackup-test-" + Guid.NewGuid().ToString("N")[..12]);
        Directory.CreateDirectory(Path);
        PosixException.Check(PathCalls.OpenDirectory(ByteName.Parse(Path), out var directory), "open", Path);
        Descriptor = directory!;
    }

    public string Path { get; }

    public Descriptor Descriptor { get; }

    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    public string MakeDirectory(string relative) => Directory.CreateDirectory(this[relative]).FullName;

    public string Write(string relative, byte[] content)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[relative])!);
        File.WriteAllBytes(this[relative], content);
        return this[relative];
    }

    public string Write(string relative, string content) => Write(relative, System.Text.Encoding.UTF8.GetBytes(content));

    public static byte[] RandomBytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Runs a shell command in the folder.</summary>
    public string Shell(string command)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = Path,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.ShouldBe(0, error.Result);
        return output;
    }

    public void Dispose()
    {
        Descriptor.Dispose();

        // rm follows no link, and manages any depth and any name.
        using var remove = Process.Start("rm", ["-rf", "--", Path]);
        remove.WaitForExit();
    }
}
