using System.Collections.Concurrent;
using FunctionsBackup.Repository;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.PostgreSql.Wal.Archiving;

/// <summary>How much one <see cref="WalPush"/> takes along.</summary>
public sealed record WalPushOptions
{
    /// <summary>Where acknowledgements are kept; the server's user must be able to write there.</summary>
    public required string SpoolDirectory { get; init; }

    /// <summary>Further files archived in the same run.</summary>
    public int MaximumFiles { get; init; } = 64;

    public long MaximumBytes { get; init; } = 1L << 30;

    /// <summary>No further file is begun after this.</summary>
    public TimeSpan MaximumTime { get; init; } = TimeSpan.FromSeconds(30);

    public int Parallelism { get; init; } = 4;
}

/// <summary>What one run did.</summary>
/// <param name="WasAcknowledged">An earlier run had archived the file: the repository was not even opened.</param>
/// <param name="Outcome">What became of the file asked for.</param>
/// <param name="Others">Further files archived.</param>
/// <param name="Warnings">Further files that could not be; the server will ask for them again.</param>
public sealed record WalPushResult(bool WasAcknowledged, WalPushOutcome Outcome, int Others, IReadOnlyList<string> Warnings);

/// <summary>
/// archive_command (PostgreSQL manual, 26.3.1): archives the file that the server names and, since a process and a key derivation per
/// segment would not keep up with a busy server, the next ones that wait, so that their turn is answered from the spool.
/// </summary>
public sealed class WalPush(WalPushOptions options, WalArchiveOpener open, TimeProvider time)
{
    /// <param name="path">%p: the file, relative to the data directory or absolute.</param>
    /// <param name="dataDirectory">The data directory; null: the working directory, or the one that the path is in.</param>
    /// <param name="cancellationToken">Stops; the file asked for is then archived or not, never half.</param>
    /// <exception cref="RepositoryException">
    /// The file asked for could not be archived: the command must fail, so that the server tries again.
    /// </exception>
    public async ValueTask<WalPushResult> RunAsync(string path, string? dataDirectory, CancellationToken cancellationToken)
    {
        var began = time.GetTimestamp();
        var data = ClusterDirectory.Find(dataDirectory, path);
        path = Path.GetFullPath(path, data);
        var name = Path.GetFileName(path);
        if (!WalFileName.TryParse(name, out _))
            throw new WalFormatException($"'{name}' is not a WAL file; set archive_command = 'fbackup wal push \"%p\"'.");
        var system = ClusterDirectory.ReadSystemIdentifier(data);
        var spool = new WalSpool(options.SpoolDirectory, system);
        var content = await ReadAsync(path, cancellationToken);
        if (spool.TryTakeAcknowledgement(name, () => WalSpool.Hash(content)))
            return new WalPushResult(true, WalPushOutcome.AlreadyArchived, 0, []);

        var archive = await open(system, cancellationToken);
        var outcome = await PushAsync(archive, spool, name, content, cancellationToken);
        var (others, warnings) = await PushOthersAsync(archive, spool, path, began, cancellationToken);
        return new WalPushResult(false, outcome, others, warnings);
    }

    private async ValueTask<(int Others, IReadOnlyList<string> Warnings)> PushOthersAsync(
        WalArchive archive, WalSpool spool, string path, long began, CancellationToken cancellationToken)
    {
        var directory = Path.GetDirectoryName(path)!;
        var warnings = new ConcurrentQueue<string>();
        var count = 0;
        try
        {
            var ready = ListReady(directory);
            spool.KeepAcknowledgements(ready.Contains);
            var bytes = 0L;
            var waiting = ready.Where(n => n != Path.GetFileName(path) && !spool.HasAcknowledgement(n))
                .OrderBy(n => n.EndsWith(".history", StringComparison.Ordinal) ? 0 : 1).ThenBy(n => n, StringComparer.Ordinal)
                .Select(n => Path.Combine(directory, n))
                .Where(File.Exists)
                .Take(options.MaximumFiles)
                .TakeWhile(p => (bytes += new FileInfo(p).Length) <= options.MaximumBytes)
                .ToList();
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(waiting, parallel, async (file, token) =>
            {
                if (time.GetElapsedTime(began) > options.MaximumTime) return;
                try
                {
                    var content = await ReadAsync(file, token);
                    await PushAsync(archive, spool, Path.GetFileName(file), content, token);
                    spool.Acknowledge(Path.GetFileName(file), WalSpool.Hash(content));
                    Interlocked.Increment(ref count);
                }
                catch (Exception e) when (e is RepositoryException or StoreException or IOException or UnauthorizedAccessException)
                {
                    warnings.Enqueue($"{Path.GetFileName(file)}: {e.Message}");
                }
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The file asked for is safe; the others wait for their own turn.
            warnings.Enqueue(e.Message);
        }

        return (count, [.. warnings]);
    }

    /// <summary>
    /// Who only writes cannot see what is archived under the name already: that it was this machine, with this content, the spool knows.
    /// </summary>
    private static async ValueTask<WalPushOutcome> PushAsync(
        WalArchive archive, WalSpool spool, string name, byte[] content, CancellationToken cancellationToken)
    {
        if (!archive.IsWriteOnly) return await archive.PushFileAsync(name, content, cancellationToken);
        var hash = WalSpool.Hash(content);
        var begun = spool.HasBegun(name, hash);
        spool.Begin(name, hash);
        try
        {
            return await archive.PushFileAsync(name, content, cancellationToken);
        }
        catch (WalUnreadableException) when (begun)
        {
            return WalPushOutcome.AlreadyArchived;
        }
    }

    /// <summary>The names that the server waits to see archived (pg_wal/archive_status/NAME.ready).</summary>
    private static HashSet<string> ListReady(string directory)
    {
        const string suffix = ".ready";
        var status = Path.Combine(directory, "archive_status");
        if (!Directory.Exists(status)) return [];
        var names = Directory.EnumerateFiles(status, "*" + suffix).Select(p => Path.GetFileName(p)[..^suffix.Length]);
        return [.. names.Where(n => WalFileName.TryParse(n, out _))];
    }

    private static async ValueTask<byte[]> ReadAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            if (new FileInfo(path).Length > Reading.WalVersion.MaximumSegmentSize)
                throw new WalFormatException($"{path} is larger than any WAL segment.");
            return await File.ReadAllBytesAsync(path, cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new WalFormatException($"{path} does not exist; set archive_command = 'fbackup wal push \"%p\"'.");
        }
    }
}
