using FunctionsBackup.Repository;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Components.PostgreSql.Wal.Archiving;

/// <summary>How far one <see cref="WalFetch"/> looks ahead.</summary>
public sealed record WalFetchOptions
{
    /// <summary>Where segments fetched ahead wait; the server's user must be able to write there.</summary>
    public required string SpoolDirectory { get; init; }

    /// <summary>Segments fetched ahead; 0: none.</summary>
    public int Ahead { get; init; } = 8;

    public long MaximumBytes { get; init; } = 256L << 20;

    public int Parallelism { get; init; } = 4;
}

/// <summary>Where a file came from.</summary>
public enum WalFetchOutcome
{
    /// <summary>It is not archived: the end of recovery, mostly. The command must end with a code other than 0 (4).</summary>
    NotFound,

    /// <summary>An earlier run had fetched it ahead: the repository was not even opened.</summary>
    FromSpool,

    FromArchive,
}

/// <summary>
/// restore_command (PostgreSQL manual, 26.3.5): brings the file that the server asks for, and the next segments into the spool.
/// </summary>
public sealed class WalFetch(WalFetchOptions options, WalArchiveOpener open, TimeProvider time)
{
    private static readonly TimeSpan AbandonedAfter = TimeSpan.FromHours(1);

    /// <param name="fileName">%f: the file's name.</param>
    /// <param name="destination">%p: where to put it, relative to the data directory or absolute; appears whole or not at all.</param>
    /// <param name="dataDirectory">The data directory; null: the working directory, or the one that the destination is in.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<WalFetchOutcome> RunAsync(
        string fileName, string destination, string? dataDirectory, CancellationToken cancellationToken)
    {
        if (!WalFileName.TryParse(fileName, out var name))
            throw new WalFormatException($"'{fileName}' is not a WAL file; set restore_command = 'fbackup wal fetch \"%f\" \"%p\"'.");
        var data = ClusterDirectory.Find(dataDirectory, destination);
        destination = Path.GetFullPath(destination, data);
        var system = ClusterDirectory.ReadSystemIdentifier(data);
        var spool = new WalSpool(options.SpoolDirectory, system);
        if (name.Kind == WalFileKind.Segment && await spool.TryTakeSegmentAsync(fileName, cancellationToken) is { } ahead)
        {
            await AtomicFile.WriteAsync(destination, ahead, cancellationToken);
            spool.CleanSegments(name.Segment, time.GetUtcNow() - AbandonedAfter);
            return WalFetchOutcome.FromSpool;
        }

        var archive = await open(system, cancellationToken);
        if (name.Kind != WalFileKind.Segment)
        {
            var file = await archive.FetchAsync(fileName, cancellationToken);
            if (file is null) return WalFetchOutcome.NotFound;
            await AtomicFile.WriteAsync(destination, file, cancellationToken);
            return WalFetchOutcome.FromArchive;
        }

        if (await archive.FetchSegmentAsync(name.Segment, cancellationToken) is not { } segment) return WalFetchOutcome.NotFound;
        await AtomicFile.WriteAsync(destination, segment.Bytes, cancellationToken);
        // What was put together from parts may be more the next time, and nothing comes after it.
        if (segment.IsComplete) await FetchAheadAsync(archive, spool, name.Segment, segment.Bytes.Length, cancellationToken);
        return WalFetchOutcome.FromArchive;
    }

    private async ValueTask FetchAheadAsync(
        WalArchive archive, WalSpool spool, WalSegmentName asked, int segmentSize, CancellationToken cancellationToken)
    {
        try
        {
            spool.CleanSegments(asked, time.GetUtcNow() - AbandonedAfter);
            var names = new List<WalSegmentName>();
            var next = asked;
            for (var i = 0; i < Math.Min(options.Ahead, options.MaximumBytes / segmentSize); i++)
            {
                next = next.Next(segmentSize);
                if (!spool.HasSegment(next.ToString())) names.Add(next);
            }

            var isEnd = false;
            var parallel = new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
            await Parallel.ForEachAsync(names, parallel, async (name, token) =>
            {
                if (Volatile.Read(ref isEnd)) return;
                if (await archive.FetchCompleteAsync(name, token) is { } content)
                    await spool.PutSegmentAsync(name.ToString(), content, token);
                else
                    Volatile.Write(ref isEnd, true);
            });
        }
        catch (Exception e) when (e is RepositoryException or StoreException or IOException or UnauthorizedAccessException)
        {
            // The file asked for is in place. Whatever is wrong with a later one is said when it is asked for.
            return;
        }
    }
}
