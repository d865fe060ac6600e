using System.Globalization;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Components.PostgreSql.Protocol;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// A base backup over the replication protocol: the server sends its files as a stream of tars, which is taken apart and stored as it comes,
/// without a copy on disk; the WAL of the meantime comes over a second connection.
/// </summary>
internal sealed class ReplicationBackup(BackupRepository repository, TimeProvider time, PostgresBackupOptions options)
{
    private readonly List<string> _warnings = [];
    private readonly CatalogAssembly _catalog = new();
    private byte[]? _label;
    private byte[]? _manifest;

    public async ValueTask<Snapshot> RunAsync(IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var startedAt = time.GetUtcNow();
        await using var server = await ReplicationConnection.OpenAsync(ServerEndpoint.From(options.ConnectionString), cancellationToken);
        var facts = await IdentifyAsync(server, cancellationToken);
        await using var wal = await BackupWalStream.OpenAsync(options.ConnectionString, time, cancellationToken);
        if (wal.Refusal is { } reason)
            _warnings.Add($"The server gave no replication slot ({reason}), so it may have recycled WAL during the backup; raise max_replication_slots.");

        var archive = new WalArchive(repository, facts.SystemIdentifier);
        var (_, timeline, position) = await server.IdentifyAsync(cancellationToken);
        if (timeline > 1) await archive.PushHistoryAsync(timeline, await server.TimelineHistoryAsync(timeline, cancellationToken), cancellationToken);

        var parent = options.Full ? null : await ParentCatalog.FindAsync(repository, options.Component, facts, cancellationToken);
        var builds = parent is not null && parent.IsContinuedBy(facts, timeline, position);
        var (stream, incremental) = await StartAsync(server, facts, builds ? parent : null, startedAt, cancellationToken);
        var serverStart = time.GetUtcNow();
        wal.Start(archive, stream.Timeline, stream.StartLsn, facts.WalSegmentSize);

        await using var session = repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = options.Unit });
        var checker = new PageChecker(facts.BlockSize, facts.DataChecksums, stream.StartLsn);
        var storer = new StreamStorer(repository, session, checker, facts.SegmentBlocks, parent);
        var meter = new ProgressMeter(progress) { BytesTotal = stream.EstimatedBytes };
        var pump = new StreamPump(stream, storer, _catalog, meter, options.Parallelism) { EachFile = wal.ThrowIfFailed };
        await pump.RunAsync(cancellationToken);
        (_label, _manifest) = (pump.Label, pump.Manifest);

        var label = BackupLabel.Parse(System.Text.Encoding.UTF8.GetString(
            _label ?? throw new PostgresBackupException("The server sent a base backup without a backup label.")));
        await wal.FinishAsync(stream.StopLsn, !label.FromStandby, cancellationToken);

        await StoreOwnFilesAsync(session, pump, incremental, cancellationToken);
        await _catalog.WriteAsync(session.Catalog, cancellationToken);
        _warnings.AddRange(server.Notices.Select(notice => $"The server warned: {notice}."));
        var recheck = new PageRecheck(checker, stream.StopLsn);
        _warnings.AddRange(await PageRecheck.RunOverSqlAsync(
            recheck, [.. storer.Reports], facts.SegmentBlocks, options.ConnectionString, cancellationToken));
        // Pages that did not change were taken over unseen, so what was wrong with them still is.
        if (incremental) _warnings.AddRange(parent!.Snapshot.Warnings.Where(PageReport.IsOne).Except(_warnings));
        var details = new PostgresBackupDetails
        {
            SystemIdentifier = facts.SystemIdentifier,
            ServerVersion = facts.ServerVersion,
            Timeline = stream.Timeline,
            StartLsn = stream.StartLsn.ToString(),
            StopLsn = stream.StopLsn.ToString(),
            StartTime = serverStart + wal.ClockDifference,
            StopTime = time.GetUtcNow() + wal.ClockDifference,
            WalSegmentSize = facts.WalSegmentSize,
            BlockSize = facts.BlockSize,
            DataChecksums = facts.DataChecksums,
            Mode = "replication",
            Tablespaces = stream.Tablespaces,
            FromStandby = label.FromStandby,
            IncrementalMethod = parent is null ? null : incremental ? "server" : "all-read",
        };
        var draft = new SnapshotDraft(
            parent is null ? "full" : "incremental", parent?.Snapshot.Id, startedAt, _warnings, details.ToJson());
        return await session.CommitAsync(draft, cancellationToken);
    }

    private static async ValueTask<ClusterFacts> IdentifyAsync(ReplicationConnection server, CancellationToken cancellationToken)
    {
        var (system, _, _) = await server.IdentifyAsync(cancellationToken);
        if (!int.TryParse(await server.ShowAsync("server_version_num", cancellationToken), NumberStyles.None, CultureInfo.InvariantCulture, out var version))
            throw new PostgresBackupException("The server's version cannot be read.");
        var blockSize = (int)Math.Min(int.MaxValue, ClusterFacts.ParseSize(await server.ShowAsync("block_size", cancellationToken)));
        var segment = ClusterFacts.ParseSize(await server.ShowAsync("segment_size", cancellationToken));
        return new ClusterFacts(
            system,
            version,
            (int)Math.Min(int.MaxValue, ClusterFacts.ParseSize(await server.ShowAsync("wal_segment_size", cancellationToken))),
            blockSize,
            (uint)Math.Min(uint.MaxValue, segment / Math.Max(1, blockSize)),
            await server.ShowAsync("data_checksums", cancellationToken) == "on").Check();
    }

    /// <summary>Incrementally if the server can, with all files otherwise; then deduplication alone keeps the backup small.</summary>
    private async ValueTask<(BaseBackupStream Stream, bool Incremental)> StartAsync(
        ReplicationConnection server, ClusterFacts facts, ParentCatalog? parent, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        var request = new BaseBackupRequest(
            string.Create(CultureInfo.InvariantCulture, $"fbackup {startedAt:yyyy-MM-ddTHH:mm:ssZ}"), options.FastCheckpoint);
        if (parent is not null && facts.ServerVersion >= 170000 && await server.ShowAsync("summarize_wal", cancellationToken) == "on")
        {
            try
            {
                await server.CopyInAsync("UPLOAD_MANIFEST", BackupManifest.Write(parent), cancellationToken);
                return (await BaseBackupStream.StartAsync(server, facts.ServerVersion, request with { Incremental = true }, cancellationToken), true);
            }
            catch (PostgresProtocolException exception) when (exception.Severity == "ERROR")
            {
                // Summaries are missing, or the earlier backup is of another history: the server says so and waits for the next command.
            }
        }

        return (await BaseBackupStream.StartAsync(server, facts.ServerVersion, request, cancellationToken), false);
    }

    private async ValueTask StoreOwnFilesAsync(BackupSession session, StreamPump pump, bool incremental, CancellationToken cancellationToken)
    {
        await AddAsync(BackupLabel.FileName, incremental ? BackupLabel.WithoutIncremental(_label) : _label!);
        // The manifest of an incremental backup lists files that were put together here, so it says nothing of what is stored.
        if (_manifest is not null && !incremental) await AddAsync(BackupManifest.FileName, _manifest);

        async ValueTask AddAsync(string name, byte[] bytes)
        {
            var builder = session.BuildContent();
            for (var at = 0; at < bytes.Length; at += ContentLimits.MaximumChunkSize)
                await builder.AddChunkAsync(bytes.AsMemory(at, Math.Min(ContentLimits.MaximumChunkSize, bytes.Length - at)), cancellationToken);
            _catalog.Add(new CatalogEntry
            {
                Path = CatalogAssembly.Path($"{DataDirectoryScan.Root}/{name}"),
                Kind = EntryKind.File,
                Mode = pump.Example.Mode,
                UserId = pump.Example.UserId,
                GroupId = pump.Example.GroupId,
                ModifiedNanoseconds = (time.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks * 100,
                Content = await builder.CompleteAsync(cancellationToken),
            });
        }
    }
}
