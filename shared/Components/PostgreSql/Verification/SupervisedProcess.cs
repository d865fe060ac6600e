using System.Diagnostics;
using System.Globalization;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>
/// A server program that never outlives this process, however this process ends.
/// </summary>
/// <remarks>
/// A small shell stands between: it holds the reading end of a pipe whose writing end only this process has. When the pipe closes, because
/// we dispose or because we are killed, it sends the server SIGQUIT (PostgreSQL: immediate shutdown), and SIGKILL when that has not ended it
/// after ten seconds. A parent-death signal would not do: it fires when the <em>thread</em> that started the child ends, and .NET's pool
/// threads come and go. (A shell starts background programs with SIGINT and SIGQUIT ignored: hence <c>env --default-signal</c>.)
/// </remarks>
public sealed class SupervisedProcess : IAsyncDisposable
{
    private const string Script = """
        log=$1; shift
        exec 3<&0
        env --default-signal=INT,QUIT "$@" </dev/null >>"$log" 2>&1 3<&- &
        server=$!
        echo $server
        { read -r line <&3; kill -QUIT $server; for try in $(seq 50); do sleep 0.2; done; kill -KILL $server; } >/dev/null 2>&1 &
        watcher=$!
        exec 3<&- </dev/null >/dev/null 2>&1
        wait $server
        code=$?
        kill $watcher
        exit $code
        """;

    private readonly Process _shell;
    private bool _disposed;

    private SupervisedProcess(Process shell, int serverId)
    {
        _shell = shell;
        ServerId = serverId;
    }

    /// <summary>Process id of the server itself.</summary>
    public int ServerId { get; }

    public bool HasExited => _shell.HasExited;

    /// <summary>Exit code of the server; meaningful once <see cref="HasExited"/>.</summary>
    public int ExitCode => _shell.ExitCode;

    /// <summary>Starts <paramref name="program"/> as <paramref name="user"/>, its output appended to <paramref name="logFile"/>.</summary>
    public static async Task<SupervisedProcess> StartAsync(
        ServerUser user, string program, IEnumerable<string> arguments, string logFile, CancellationToken cancellationToken)
    {
        // A session of its own: an interrupt from the terminal is for us, and we decide when the server ends.
        var start = user.Command("setsid", ["sh", "-c", Script, "sh", logFile, program, .. arguments]);
        start.RedirectStandardInput = true;
        start.RedirectStandardOutput = true;
        var shell = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        try
        {
            var line = await shell.StandardOutput.ReadLineAsync(cancellationToken).ConfigureAwait(false);
            if (!int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var id))
                throw new InvalidOperationException($"{program} did not start; is setsid (package util-linux) there, and {logFile} writable?");
            return new SupervisedProcess(shell, id);
        }
        catch
        {
            shell.StandardInput.Close();
            shell.Dispose();
            throw;
        }
    }

    /// <summary>Waits until the server has ended by itself.</summary>
    public Task WaitForExitAsync(CancellationToken cancellationToken) => _shell.WaitForExitAsync(cancellationToken);

    /// <summary>Ends the server at once if it still runs, and waits until it has gone.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        _shell.StandardInput.Close();
        await _shell.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _shell.Dispose();
    }
}
