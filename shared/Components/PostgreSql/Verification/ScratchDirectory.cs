using System.Diagnostics;

namespace FunctionsBackup.Components.PostgreSql.Verification;

/// <summary>
/// A private directory (mode 0700, owned by the user given) that is removed when disposed, and also when this process dies without a word:
/// a small shell waits for that at the end of a pipe, as in <see cref="SupervisedProcess"/>.
/// </summary>
public sealed class ScratchDirectory : IAsyncDisposable
{
    // Servers that die together with us may still be writing their last files: try for some seconds.
    private const string Script = """
        read -r line
        for attempt in 1 2 3 4 5 6 7 8 9 10; do rm -rf -- "$1" 2>/dev/null && exit 0; sleep 0.5; done
        exit 1
        """;

    private readonly Process _guard;
    private bool _disposed;

    private ScratchDirectory(string path, Process guard)
    {
        Path = path;
        _guard = guard;
    }

    /// <summary>Absolute path.</summary>
    public string Path { get; }

    /// <summary>Makes <c>PARENT/PREFIX-random</c>. Keep the parent short: Unix sockets inside have room for 107 bytes.</summary>
    public static async Task<ScratchDirectory> CreateAsync(ServerUser user, string parent, string prefix, CancellationToken cancellationToken)
    {
        var template = System.IO.Path.Combine(parent, prefix + "-XXXXXXXX");
        var made = await ProgramRun.RunAsync(user.Command("mktemp", "-d", template), cancellationToken).ConfigureAwait(false);
        if (made.ExitCode != 0) throw new IOException($"No scratch directory can be made under {parent}: {made.Errors.Trim()}");
        var path = made.Output.Trim();

        // The guard runs as us, who may remove whatever comes to lie there.
        var start = ServerUser.Current.Command("setsid", "sh", "-c", Script, "sh", path);
        start.RedirectStandardInput = true;
        var guard = Process.Start(start) ?? throw new InvalidOperationException("sh did not start.");
        return new ScratchDirectory(path, guard);
    }

    /// <summary>Removes the directory with all that is in it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, true)) return;
        _guard.StandardInput.Close();
        await _guard.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
        _guard.Dispose();
    }
}
