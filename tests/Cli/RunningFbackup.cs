using System.Diagnostics;

namespace FunctionsBackup.Tests.Cli;

/// <summary>The program while it runs: what it said so far on stderr, and how it ends.</summary>
internal sealed class RunningFbackup : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly Process _process;
    private readonly List<string> _said = [], _printed = [];

    public RunningFbackup(Fbackup fbackup, params string[] arguments) => _process = fbackup.Start(arguments);

    public void Signal(int signal) => Cli.Signal.Send(_process, signal);

    /// <summary>The next line on stderr that has this in it.</summary>
    public Task<string> SaysAsync(string text) => FindAsync(_process.StandardError, _said, text);

    /// <summary>The next line on stdout that has this in it.</summary>
    public Task<string> PrintsAsync(string text) => FindAsync(_process.StandardOutput, _printed, text);

    public async Task<Ran> EndAsync()
    {
        try
        {
            var (error, output) = (_process.StandardError.ReadToEndAsync(), _process.StandardOutput.ReadToEndAsync());
            await Task.WhenAll(error, output, _process.WaitForExitAsync()).WaitAsync(Patience);
            return new Ran(_process.ExitCode, string.Join('\n', [.. _printed, await output]), string.Join('\n', [.. _said, await error]));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"It did not end:\n{string.Join('\n', _said)}");
        }
    }

    private static async Task<string> FindAsync(StreamReader reader, List<string> lines, string text)
    {
        while (await reader.ReadLineAsync().WaitAsync(Patience) is { } line)
        {
            lines.Add(line);
            if (line.Contains(text, StringComparison.Ordinal)) return line;
        }

        throw new InvalidOperationException($"It ended without '{text}':\n{string.Join('\n', lines)}");
    }

    /// <summary>Ends it if a test left it running.</summary>
    public void Dispose()
    {
        if (!_process.HasExited) _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }
}
