using System.Diagnostics;

namespace FunctionsBackup.Tests.Cli;

/// <summary>What an unprivileged user may not read is said, the rest goes on. Root can read everything, so the program runs as somebody else.</summary>
public sealed class UnreadableTests : IDisposable
{
    private const UnixFileMode Everybody = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
        | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute;

    private readonly Fbackup _fbackup = new();

    public UnreadableTests()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Write("recordings/a.txt", "readable");
        _fbackup.Write("recordings/secret.txt", "not for you");
        _fbackup.Write("recordings/closed/inside.txt", "behind a door");
        _fbackup.Write("recordings/z/z.txt", "readable too");
        File.SetUnixFileMode(_fbackup.Folder, Everybody);
    }

    public void Dispose()
    {
        File.SetUnixFileMode(_fbackup.PathOf("recordings/closed"), Everybody);
        _fbackup.Dispose();
    }

    [Fact]
    public void Files_and_folders_that_cannot_be_read_are_named_and_the_rest_is_backed_up()
    {
        AsNobody("init", "--yes").Expect(0);
        AsNobody("backup", "run").Expect(0);
        File.SetUnixFileMode(_fbackup.PathOf("recordings/secret.txt"), UnixFileMode.None);
        File.SetUnixFileMode(_fbackup.PathOf("recordings/closed"), UnixFileMode.None);
        _fbackup.Write("recordings/new.txt", "came later");

        var ran = AsNobody("backup", "run", "--full").Expect(3);
        ran.Error.ShouldContain("recordings/secret.txt was left out: Permission denied");
        ran.Error.ShouldContain("recordings/closed");
        ran.Error.ShouldNotContain("a.txt");
        AsNobody("restore", "voice_data", "latest", "--target", "out").Expect(0);
        string[] expected = ["a.txt", "new.txt", "z/z.txt"];
        Directory.GetFiles(_fbackup.PathOf("out/recordings"), "*", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(_fbackup.PathOf("out/recordings"), f)).Order(StringComparer.Ordinal).ShouldBe(expected);
        File.ReadAllText(_fbackup.PathOf("out/recordings/new.txt")).ShouldBe("came later");
        AsNobody("backup", "verify", "--level", "full").Expect(0);
    }

    private Ran AsNobody(params string[] arguments)
    {
        if (!System.Environment.IsPrivilegedProcess) return _fbackup.Run(arguments);
        var start = new ProcessStartInfo(
            "setpriv", ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--no-new-privs", Fbackup.Program, .. arguments])
        {
            WorkingDirectory = _fbackup.Folder, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("FBACKUP", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        start.Environment["FBACKUP_PASSPHRASE"] = Fbackup.Passphrase;
        start.Environment["HOME"] = _fbackup.Folder;
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return new Ran(process.ExitCode, output, error.Result);
    }
}
