using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Tests.EndToEnd.Recovery;

/// <summary>
/// Archives what a server's archive_command puts into a directory: what <c>wal push</c> does, without the start of a process per segment.
/// </summary>
internal sealed class SpoolArchiver : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly string _directory;
    private readonly WalArchive _archive;
    private readonly Task _task;

    public SpoolArchiver(string directory, WalArchive archive)
    {
        _directory = directory;
        _archive = archive;
        _task = Task.Run(RunAsync);
    }

    /// <summary>The archive_command that fills <paramref name="directory"/>.</summary>
    public static string Command(string directory) => $"cp \"%p\" \"{directory}/.%f\" && mv \"{directory}/.%f\" \"{directory}/%f\"";

    /// <summary>Waits until a file is in the archive.</summary>
    public async Task WaitForAsync(string fileName)
    {
        while (await _archive.FetchAsync(fileName, CancellationToken.None) is null)
        {
            if (_task.IsCompleted) await _task;
            await Task.Delay(20);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _task.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            foreach (var file in Directory.EnumerateFiles(_directory).Where(f => !Path.GetFileName(f).StartsWith('.')).Order(StringComparer.Ordinal).ToList())
            {
                await _archive.PushFileAsync(Path.GetFileName(file), await File.ReadAllBytesAsync(file), CancellationToken.None);
                File.Delete(file);
            }

            await Task.Delay(20, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
