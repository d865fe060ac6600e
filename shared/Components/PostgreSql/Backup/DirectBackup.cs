using System.Globalization;
using System.Text;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// A base backup beside the server: pg_backup_start, read the files in parallel, pg_backup_stop, archive the WAL in between, commit
/// (PostgreSQL manual, 26.3.4 Making a Base Backup Using the Low Level API).
/// </summary>
internal sealed class DirectBackup(BackupRepository repository, TimeProvider time, PostgresBackupOptions options)
{
    /// <summary>The kernel stamps files with the time of its last tick, up to 10 ms ago.</summary>
    private const long ClockGranularity = 20_000_000;

    /// <summary>
    /// On a standby no checkpoint is made when a backup starts, so nothing waits for writes in progress; none lasts that long.
    /// </summary>
    private const long StandbyMargin = 600_000_000_000;

    private readonly string _dataDirectory = Path.TrimEndingDirectorySeparator(options.DataDirectory!);
    private readonly List<string> _warnings = [];
    private readonly CatalogAssembly _catalog = new();

    public async ValueTask<Snapshot> RunAsync(IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var startedAt = time.GetUtcNow();
        await using var server = await DirectSession.OpenAsync(options.ConnectionString, cancellationToken);
        var facts = server.Facts;
        var reader = new ControlFileReader(_dataDirectory, time);
        reader.CheckCluster(await reader.ReadAsync(cancellationToken), facts);
        var seen = SlotsDirectory.Look(_dataDirectory, server.State.StartedMicroseconds);
        if (await server.ReserveWalAsync(cancellationToken) is { } reason)
            _warnings.Add($"The server gave no replication slot ({reason}), so it may have recycled WAL during the backup; raise max_replication_slots.");

        var reserved = SlotsDirectory.Look(_dataDirectory, server.State.StartedMicroseconds);
        var asked = time.GetUtcNow();
        var timestamp = time.GetTimestamp();
        var start = await server.StartAsync(Label(startedAt), options.FastCheckpoint, cancellationToken);
        var control = await reader.ReadAsync(cancellationToken);
        reader.CheckServer(control, start);
        var settledBefore = SettledBefore(server, asked, timestamp, control.Status);
        var timeline = control.Control.Timeline;

        var parent = options.Full ? null : await ParentCatalog.FindAsync(repository, options.Component, facts, cancellationToken);
        var scan = new DataDirectoryScan($"PG_{facts.ServerVersion / 10000}_{control.Control.CatalogVersion}");
        scan.Run(_dataDirectory, cancellationToken);
        var plan = parent is null ? null : await PlanAsync(server, parent, timeline, start, seen, scan, cancellationToken);
        _warnings.AddRange(scan.Warnings);

        await using var session = repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = options.Unit });
        var checker = new PageChecker(facts.BlockSize, facts.DataChecksums, start);
        var storer = new FileStorer(repository, session, checker, facts.SegmentBlocks, plan);
        await StoreFilesAsync(scan, storer, progress, cancellationToken);
        await StoreControlAsync(session, await reader.ReadAsync(cancellationToken), cancellationToken);

        var stop = await server.StopAsync(cancellationToken);
        var label = BackupLabel.Parse(stop.Label);
        if (label.StartLsn != start || label.Timeline != timeline)
            throw new PostgresBackupException("The server ended another backup than the one that was started; take the backup again.");
        await StoreTextAsync(session, $"{DataDirectoryScan.Root}/{BackupLabel.FileName}", stop.Label, stop.Time, cancellationToken);
        if (stop.TablespaceMap.Length > 0)
            await StoreTextAsync(session, $"{DataDirectoryScan.Root}/tablespace_map", stop.TablespaceMap, stop.Time, cancellationToken);

        var wal = new WalCollector(
            new WalArchive(repository, facts.SystemIdentifier), Path.Combine(_dataDirectory, "pg_wal"), facts.WalSegmentSize);
        await wal.ArchiveHistoriesAsync(cancellationToken);
        await wal.ArchiveAsync(timeline, start, stop.StopLsn, !label.FromStandby, options.Parallelism, cancellationToken);

        // Only what the end of the backup did, and nothing before it, may leave this trace.
        PostgresContinuity? left = null;
        if (await server.ReleaseWalAsync(cancellationToken) && !server.InRecovery)
            left = SlotsDirectory.Look(_dataDirectory, server.State.StartedMicroseconds);
        await _catalog.WriteAsync(session.Catalog, cancellationToken);
        _warnings.AddRange(await new PageRecheck(checker, stop.StopLsn).RunAsync(storer.Reports, facts.SegmentBlocks, ReadPage));
        var details = new PostgresBackupDetails
        {
            SystemIdentifier = facts.SystemIdentifier,
            ServerVersion = facts.ServerVersion,
            Timeline = timeline,
            StartLsn = start.ToString(),
            StopLsn = stop.StopLsn.ToString(),
            StartTime = server.StartTime,
            StopTime = stop.Time,
            WalSegmentSize = facts.WalSegmentSize,
            BlockSize = facts.BlockSize,
            DataChecksums = facts.DataChecksums,
            Mode = "direct",
            Tablespaces = scan.Tablespaces,
            FromStandby = label.FromStandby,
            IncrementalMethod = Method(plan),
            SettledBeforeNanoseconds = settledBefore,
            Continuity = left == reserved ? null : left,
        };
        var draft = new SnapshotDraft(
            plan is null ? "full" : "incremental", plan?.Parent.Snapshot.Id, startedAt, _warnings, details.ToJson());
        return await session.CommitAsync(draft, cancellationToken);
    }

    private static string? Method(IncrementalPlan? plan) => plan switch
    {
        null => null,
        { Changed: not null } => "wal-summaries",
        { ReadsAll: true } => "all-read",
        { Lsns: not null } => "page-lsns",
        _ => "modification-times",
    };

    private static string Label(DateTimeOffset startedAt) => string.Create(CultureInfo.InvariantCulture, $"fbackup {startedAt:yyyy-MM-ddTHH:mm:ssZ}");

    private async ValueTask<IncrementalPlan> PlanAsync(
        DirectSession server, ParentCatalog parent, uint timeline, Lsn start, PostgresContinuity? seen, DataDirectoryScan scan,
        CancellationToken cancellationToken)
    {
        if (!parent.IsContinuedBy(server.Facts, timeline, start)) return new IncrementalPlan(parent, null, long.MinValue, null);
        var changed = await WalSummaries.ReadAsync(
            server, timeline, Lsn.Parse(parent.Details.StartLsn), start, ContentLimits.PageChunk(server.Facts.BlockSize) / server.Facts.BlockSize,
            time, cancellationToken);
        // Summaries say what to read; without them, what is read tells by its LSNs what need not be hashed.
        var lsns = changed is null ? TrustedLsns.Find(parent, server.Facts, server.State, seen, scan.Entries) : null;
        return new IncrementalPlan(parent, changed, parent.Details.SettledBeforeNanoseconds ?? long.MinValue, lsns);
    }

    /// <summary>
    /// The instant before which a write, judged by its file's time, was complete when the files were looked at: when the checkpoint was asked
    /// for, by the file system's clock. The control file, written at the end of the checkpoint, shows how far that clock may be behind ours.
    /// </summary>
    private long SettledBefore(DirectSession server, DateTimeOffset asked, long timestamp, in FileStatus control)
    {
        var askedAt = (asked - DateTimeOffset.UnixEpoch).Ticks * 100;
        if (server.InRecovery) return askedAt - StandbyMargin;
        var elapsed = time.GetElapsedTime(timestamp).Ticks * 100;
        return Math.Min(askedAt, control.ModifiedNanoseconds - elapsed) - ClockGranularity;
    }

    private async ValueTask StoreFilesAsync(
        DataDirectoryScan scan, FileStorer storer, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        foreach (var directory in scan.Entries.Where(entry => entry.IsDirectory)) _catalog.Add(FileStorer.Directory(directory));
        // The largest first, so that no worker is left alone with one at the end.
        var files = scan.Entries.Where(entry => !entry.IsDirectory).OrderByDescending(file => file.Status.Size).ToList();
        var meter = new ProgressMeter(progress) { FilesTotal = files.Count, BytesTotal = files.Sum(file => file.Status.Size) };
        await Parallel.ForEachAsync(
            files,
            new ParallelOptions { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken },
            async (file, token) =>
            {
                if (await storer.StoreAsync(file, token) is { } entry) _catalog.Add(entry);
                meter.Done(file.CatalogPath, file.Status.Size);
            });
    }

    private ValueTask<byte[]?> ReadPage(string path, long offset, int length)
    {
        var source = ByteName.Parse(Path.Combine(_dataDirectory, PageRecheck.RelativePath(path)));
        if (PathCalls.Open(source, OpenFlags.ReadOnly, out var opened) != PosixError.None || opened is null) return new((byte[]?)null);
        using (opened)
        {
            var page = new byte[length];
            return new(FileCalls.Read(opened, page, offset, out var read) == PosixError.None && read == length ? page : null);
        }
    }

    // On a standby its minRecoveryPoint says where the copy is consistent, so it must be as new as the newest page: read last.
    private async ValueTask StoreControlAsync(BackupSession session, ControlFileCopy control, CancellationToken cancellationToken)
    {
        var (_, status, bytes) = control;
        _catalog.Add(new CatalogEntry
        {
            Path = CatalogAssembly.Path($"{DataDirectoryScan.Root}/global/pg_control"),
            Kind = EntryKind.File,
            Mode = status.Mode,
            UserId = status.UserId,
            GroupId = status.GroupId,
            ModifiedNanoseconds = status.ModifiedNanoseconds,
            Content = await StoreBytesAsync(session, bytes, cancellationToken),
        });
        session.CountRead(bytes.Length);
    }

    private async ValueTask StoreTextAsync(
        BackupSession session, string path, string text, DateTimeOffset modified, CancellationToken cancellationToken)
    {
        PosixException.Check(PathCalls.OpenDirectory(ByteName.Parse(_dataDirectory), out var root), "open", _dataDirectory);
        using var opened = root!;
        PosixException.Check(FileCalls.Status(opened, out var status), "examine", _dataDirectory);
        _catalog.Add(new CatalogEntry
        {
            Path = CatalogAssembly.Path(path),
            Kind = EntryKind.File,
            // As the server would make it: for the owner, and for the group to read if it may enter the data directory.
            Mode = (status.Mode & 0x28) != 0 ? 0x1A0u : 0x180u,
            UserId = status.UserId,
            GroupId = status.GroupId,
            ModifiedNanoseconds = (modified - DateTimeOffset.UnixEpoch).Ticks * 100,
            Content = await StoreBytesAsync(session, Encoding.UTF8.GetBytes(text), cancellationToken),
        });
    }

    private static async ValueTask<ContentRef> StoreBytesAsync(BackupSession session, byte[] bytes, CancellationToken cancellationToken)
    {
        var builder = session.BuildContent();
        await builder.AddChunkAsync(bytes, cancellationToken);
        return await builder.CompleteAsync(cancellationToken);
    }
}
