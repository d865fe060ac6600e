using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Wal;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Archives the WAL that a backup needs from <c>pg_wal</c> beside the server.</summary>
/// <param name="archive">Where it goes.</param>
/// <param name="walDirectory">The server's <c>pg_wal</c>.</param>
/// <param name="segmentSize">Bytes per segment.</param>
internal sealed class WalCollector(WalArchive archive, string walDirectory, int segmentSize)
{
    /// <summary>
    /// Archives all segments from that of <paramref name="start"/> to that of the last byte before <paramref name="stop"/>, of every
    /// timeline from <paramref name="timeline"/> on that the directory has.
    /// </summary>
    /// <param name="timeline">Timeline of the start.</param>
    /// <param name="start">First byte needed.</param>
    /// <param name="stop">End of what is needed.</param>
    /// <param name="lastIsComplete">
    /// Whether the server has switched away from the last segment (a primary does when a backup stops). Otherwise that one is still being
    /// written, and only what is there of it up to <paramref name="stop"/> is archived.
    /// </param>
    /// <param name="parallelism">Segments at once.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="PostgresBackupException">A segment is neither here nor in the archive.</exception>
    public async ValueTask ArchiveAsync(
        uint timeline, Lsn start, Lsn stop, bool lastIsComplete, int parallelism, CancellationToken cancellationToken)
    {
        var names = new List<WalSegmentName>();
        var last = WalSegmentName.Containing(timeline, new Lsn(stop.Value - 1), segmentSize);
        for (var name = WalSegmentName.Containing(timeline, start, segmentSize); ; name = name.Next(segmentSize))
        {
            names.Add(name);
            if (name == last) break;
        }

        var present = Directory.EnumerateFiles(walDirectory).Select(Path.GetFileName)
            .Select(file => WalSegmentName.TryParse(file, out var name) ? name : default)
            .Where(name => name.Timeline >= timeline).ToLookup(name => (name.Log, name.Segment));
        await Parallel.ForEachAsync(
            names,
            new ParallelOptions { MaxDegreeOfParallelism = parallelism, CancellationToken = cancellationToken },
            async (name, token) =>
            {
                var archived = false;
                foreach (var found in present[(name.Log, name.Segment)])
                    archived |= await ArchiveAsync(found, name == last && !lastIsComplete ? stop : null, token);
                // It may have been archived and recycled before we came to it.
                if (!archived && await archive.FetchAsync(name.ToString(), token) is null)
                {
                    throw new PostgresBackupException(
                        $"WAL segment {name}, which the backup needs, is neither in pg_wal nor in the archive; "
                        + "raise max_replication_slots or wal_keep_size, so that the server keeps WAL during backups.");
                }
            });
    }

    /// <summary>Archives the history files that the timeline descends by.</summary>
    public async ValueTask ArchiveHistoriesAsync(CancellationToken cancellationToken)
    {
        foreach (var path in Directory.EnumerateFiles(walDirectory, "*.history"))
        {
            var name = Path.GetFileNameWithoutExtension(path);
            if (name.Length == 8 && uint.TryParse(name, System.Globalization.NumberStyles.HexNumber, null, out var timeline))
                await archive.PushHistoryAsync(timeline, await File.ReadAllBytesAsync(path, cancellationToken), cancellationToken);
        }
    }

    private async ValueTask<bool> ArchiveAsync(WalSegmentName name, Lsn? end, CancellationToken cancellationToken)
    {
        var path = ByteName.Parse(Path.Combine(walDirectory, name.ToString()));
        var error = PathCalls.Open(path, OpenFlags.ReadOnly, out var opened);
        if (error == PosixError.NoEntry) return false;
        PosixException.Check(error, "open", path);
        var segment = new byte[segmentSize];
        using (opened!)
        {
            PosixException.Check(FileCalls.Read(opened!, segment, 0, out var read), "read", path);
            if (read != segmentSize)
                throw new PostgresBackupException($"WAL segment {name} has {read} bytes instead of {segmentSize}.");
        }

        if (end is not { } limit)
        {
            await archive.PushAsync(name, segment, cancellationToken);
            return true;
        }

        var length = (int)(limit.Value - name.Start(segmentSize).Value);
        await archive.PushPartAsync(name, segmentSize, 0, segment.AsMemory(0, length), cancellationToken);
        return true;
    }
}
