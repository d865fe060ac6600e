using System.Collections.Concurrent;
using System.Text.Json;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Files.Walking;
using FunctionsBackup.Components.LiveKit.Access;
using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.Components.LiveKit.Reconciliation;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Components.LiveKit.Twirp;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit;

/// <summary>What to back up.</summary>
/// <param name="Connection">The server.</param>
public sealed record LiveKitBackupOptions(LiveKitConnection Connection)
{
    /// <summary>Name in the configuration.</summary>
    public string Component { get; init; } = "livekit";

    /// <summary>The component that holds the recordings; null: they are not compared.</summary>
    public string? RecordingsComponent { get; init; } = "voice_data";

    public int Parallelism { get; init; } = 2;

    /// <summary>The unit of a run that this is; null: a recovery point by itself.</summary>
    public RunUnit? Unit { get; init; }
}

/// <summary>Backs up what a LiveKit server tells of itself: each object as a file of JSON.</summary>
public sealed class LiveKitBackup(BackupRepository repository, TimeProvider time)
{
    private const int MaximumListedRecordings = 20;

    /// <summary>Of the first snapshot: how far back events are looked at.</summary>
    private static readonly TimeSpan JournalReach = TimeSpan.FromDays(7);

    /// <summary>Takes one recovery point, or one unit of a run.</summary>
    /// <exception cref="LiveKitException">The server refused, did not answer, or answers nonsense; nothing was committed.</exception>
    /// <exception cref="FormatException">The address is none.</exception>
    public async ValueTask<Snapshot> RunAsync(
        LiveKitBackupOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var from = time.GetUtcNow();
        var startedAt = options.Unit?.Run.Token.StartedAt ?? from;
        using var client = new TwirpClient(options.Connection, time);
        await using var session = repository.BeginSession(new SessionOptions(options.Component, options.Parallelism) { Unit = options.Unit });
        var (reading, warnings) = (new LiveKitReading(), new WarningList());
        var meter = new ProgressMeter(progress, time);
        var entries = new ConcurrentDictionary<string, CatalogEntry>(StringComparer.Ordinal);
        var recordings = new ConcurrentBag<Recording>();
        await new LiveKitReader(client, reading).ReadAsync(
            [],
            async (item, token) =>
            {
                entries[ObjectPath.Of(item)] = await StoreAsync(session, item, token).ConfigureAwait(false);
                if (item.Kind == LiveKitKind.Egress) foreach (var recording in RecordingsOf(item)) recordings.Add(recording);
                meter.AddBytes(item.Json.Length);
                meter.AddFile();
            },
            cancellationToken).ConfigureAwait(false);
        var until = time.GetUtcNow();
        var journal = await ReadJournalAsync(options, entries, recordings, from, warnings, cancellationToken).ConfigureAwait(false);
        await WriteCatalogAsync(session, entries, cancellationToken).ConfigureAwait(false);
        meter.Report();

        foreach (var sentence in reading.Missing.Values) warnings.Add(sentence);
        var details = new LiveKitBackupDetails
        {
            Paths = ObjectPath.Roots.ToDictionary(r => r, _ => options.Connection.Url),
            Counts = reading.Counts,
            Missing = reading.Missing,
            VanishedRooms = reading.Vanished,
            VanishedRoomCount = reading.VanishedCount,
            ReadFrom = from,
            ReadUntil = until,
            Journal = journal,
            Recordings = await CompareAsync(options, recordings, warnings, cancellationToken).ConfigureAwait(false),
        };
        var draft = new SnapshotDraft("full", null, startedAt, warnings.ToList(), details.ToJson());
        return await session.CommitAsync(draft, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>
    /// What was told by webhook since the snapshot before: recordings whose egress the server has forgotten since count, too. Null: nothing is known.
    /// </summary>
    private async ValueTask<JournalPosition?> ReadJournalAsync(
        LiveKitBackupOptions options, ConcurrentDictionary<string, CatalogEntry> entries, ConcurrentBag<Recording> recordings, DateTimeOffset now,
        WarningList warnings, CancellationToken cancellationToken)
    {
        if (repository.IsWriteOnly) return null;
        var from = now - JournalReach;
        await foreach (var before in repository.ListSnapshotsAsync(options.Component, cancellationToken).ConfigureAwait(false))
            if (before.StartedAt > from && before.StartedAt < now) from = before.StartedAt;
        IReadOnlyList<JournalEvent> events;
        try
        {
            events = await new LiveKitJournal(repository).ReadAsync(from, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException e)
        {
            warnings.Add($"What was told by webhook is not looked at: {e.Message}"); // no reason to take no snapshot
            return null;
        }

        foreach (var item in events.Where(e => e.Name == "egress_ended"))
            if ((item.Json["egressInfo"] ?? item.Json["egress_info"]) is { } info)
                foreach (var recording in Recording.Of(JsonSerializer.SerializeToElement(info)))
                    if (!entries.ContainsKey(ObjectPath.Of(new LiveKitObject(LiveKitKind.Egress, null, recording.EgressId, [])))) recordings.Add(recording);
        return events.Count == 0 ? null : new JournalPosition(events.Count, events[^1].Id, events[^1].CreatedAt);
    }

    /// <summary>LiveKit keeps no time of change for most objects; none at all keeps unchanged stretches of the catalog unchanged.</summary>
    private static async ValueTask<CatalogEntry> StoreAsync(BackupSession session, LiveKitObject item, CancellationToken cancellationToken) => new()
    {
        Path = ByteName.Parse(ObjectPath.Of(item)),
        Kind = EntryKind.File,
        Mode = 0b110_000_000, // there may be passwords in it
        Content = await session.StoreAsync(new BytesSource(item.Json), ContentOptions.ContentDefined, cancellationToken).ConfigureAwait(false),
    };

    private static async ValueTask WriteCatalogAsync(
        BackupSession session, IReadOnlyDictionary<string, CatalogEntry> files, CancellationToken cancellationToken)
    {
        var folders = new HashSet<string>(ObjectPath.Roots, StringComparer.Ordinal);
        foreach (var path in files.Keys)
            for (var slash = path.LastIndexOf('/'); slash > 0 && folders.Add(path[..slash]); slash = path.LastIndexOf('/', slash - 1)) ;
        var entries = files.Values.Concat(folders.Select(f => new CatalogEntry
        {
            Path = ByteName.Parse(f), Kind = EntryKind.Directory, Mode = 0b111_000_000,
        })).ToList();
        entries.Sort((a, b) => CatalogOrder.Compare(a.Path.Span, b.Path.Span));
        foreach (var entry in entries) await session.Catalog.AddAsync(entry, cancellationToken).ConfigureAwait(false);
    }

    private static IReadOnlyList<Recording> RecordingsOf(LiveKitObject egress)
    {
        using var document = JsonDocument.Parse(egress.Json);
        return Recording.Of(document.RootElement);
    }

    private async ValueTask<RecordingsSummary?> CompareAsync(
        LiveKitBackupOptions options, IReadOnlyCollection<Recording> recordings, WarningList warnings, CancellationToken cancellationToken)
    {
        // Who only writes cannot read what the backup holds.
        if (options.RecordingsComponent is not { } component || repository.IsWriteOnly) return null;
        if (await RecordingsCheck.RunAsync(repository, recordings, component, cancellationToken).ConfigureAwait(false) is not { } report) return null;
        foreach (var recording in report.Findings.Where(f => f.Standing is not RecordingStanding.Pending).Take(MaximumListedRecordings))
            warnings.Add(recording.Sentence(report.SnapshotId));
        var more = report.Missing + report.Different - MaximumListedRecordings;
        if (more > 0) warnings.Add($"{more} more recordings are missing or differ; 'fbackup livekit recordings' lists them.");
        return report.ToSummary();
    }
}
