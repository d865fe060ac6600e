using System.Diagnostics;

namespace FunctionsBackup.Benchmarks.Compare.Processes;

/// <summary>A program to run.</summary>
public sealed record Command(string Program, params IReadOnlyList<string> Arguments)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string? Directory { get; init; }

    /// <summary>Run as user postgres when this process is root: servers refuse to run as root, and their files are theirs.</summary>
    public bool AsPostgres { get; init; }

    /// <summary>Exit codes that count as done.</summary>
    public IReadOnlyList<int> Accept { get; init; } = [0];

    /// <summary>Flush this directory's file system afterwards, as part of the work: for programs that leave that undone.</summary>
    public string? ThenSync { get; init; }

    public static bool IsRoot { get; } = System.Environment.UserName == "root";

    /// <summary>The same with a prefix in front of the program.</summary>
    public ProcessStartInfo Start(params IEnumerable<string> prefix)
    {
        List<string> line = [.. prefix];
        if (AsPostgres && IsRoot) line.AddRange(["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]);
        if (ThenSync is null) line.AddRange([Program, .. Arguments]);
        else line.AddRange(["sh", "-c", "\"$@\" && exec sync -f \"$0\"", ThenSync, Program, .. Arguments]);
        var start = new ProcessStartInfo(line[0], line.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Directory ?? "/",
        };
        foreach (var (name, value) in Environment) start.Environment[name] = value;
        return start;
    }

    /// <summary>Runs it to its end and returns its standard output.</summary>
    /// <exception cref="CommandFailedException">Its exit code is not accepted.</exception>
    public async Task<string> RunAsync(CancellationToken cancellationToken) => await RunAsync(Start(), null, cancellationToken);

    internal async Task<string> RunAsync(ProcessStartInfo start, Action<Process>? started, CancellationToken cancellationToken)
    {
        using var process = Process.Start(start) ?? throw new CommandFailedException($"{Program} did not start.");
        try
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            started?.Invoke(process);
            await process.WaitForExitAsync(cancellationToken);
            if (Accept.Contains(process.ExitCode)) return await output;
            var said = (await errors).Trim() is { Length: > 0 } text ? text : await output;
            throw new CommandFailedException($"{Program} {string.Join(' ', Arguments)} ended with {process.ExitCode}: {said}");
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
            throw;
        }
    }
}

/// <summary>A program did not do what it was asked.</summary>
public sealed class CommandFailedException(string message) : Exception(message);
