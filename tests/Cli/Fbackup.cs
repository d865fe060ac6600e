using System.Diagnostics;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Tests.Cli;

/// <summary>What a run of the program left behind.</summary>
public sealed record Ran(int ExitCode, string Output, string Error)
{
    /// <summary>The one JSON document on stdout.</summary>
    public JsonNode Json => JsonNode.Parse(Output).ShouldNotBeNull();

    /// <summary>The JSON lines on stdout.</summary>
    public IReadOnlyList<JsonObject> Events =>
        [.. Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line).ShouldNotBeNull().AsObject())];

    public Ran Expect(int exitCode)
    {
        ExitCode.ShouldBe(exitCode, $"stdout:\n{Output}\nstderr:\n{Error}");
        return this;
    }
}

/// <summary>Runs the real program in a folder of its own, with no terminal and no input.</summary>
public sealed class Fbackup : IDisposable
{
    public const string Passphrase = "correct horse PLANTED battery";

    /// <summary>The program compiled ahead of time, where ./test built it: it starts much faster than the one beside the tests.</summary>
    public static string Program { get; } =
        System.Environment.GetEnvironmentVariable("FBACKUP_TEST_PROGRAM") is { Length: > 0 } built ? built
            : Path.Combine(AppContext.BaseDirectory, "fbackup");

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public Fbackup()
    {
        Folder = Directory.CreateTempSubdirectory("fbackup-cli-").FullName;
        Environment["FBACKUP_PASSPHRASE"] = Passphrase;
        Environment["FBACKUP_STATE"] = PathOf("state");
    }

    public string Folder { get; }

    public Dictionary<string, string?> Environment { get; } = [];

    public string PathOf(string name) => Path.Combine(Folder, name);

    public void Write(string name, string content)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(PathOf(name))!);
        File.WriteAllText(PathOf(name), content);
    }

    /// <summary>A configuration with a repository beside it, and the recordings folder as voice_data.</summary>
    public void WriteConfiguration(string more = "") => Write("backup_config.yaml", $"""
        backup_config:
          storage: {"{ path: ./repository }"}
          keys: {"{ passphrase: env:FBACKUP_PASSPHRASE }"}
          components:
            voice_data: {"{ paths: [./recordings], exclude: [\"*.tmp\"] }"}
        {more}

        """);

    public Ran Run(params string[] arguments)
    {
        using var process = Start(arguments);
        var error = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        if (!process.WaitForExit(Patience))
        {
            process.Kill(entireProcessTree: true);
            throw new TimeoutException($"fbackup {string.Join(' ', arguments)} did not end.");
        }

        return new Ran(process.ExitCode, output, error.Result);
    }

    /// <summary>Starts the program with its streams redirected; stdin is closed at once.</summary>
    public Process Start(params string[] arguments)
    {
        // Tests that run in the background of a shell inherit ignored signals, which the program would respect.
        var start = new ProcessStartInfo("/usr/bin/env", ["--default-signal=INT,TERM,HUP", Program, .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("FBACKUP", StringComparison.OrdinalIgnoreCase)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        var process = Process.Start(start)!;
        process.StandardInput.Close();
        return process;
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
