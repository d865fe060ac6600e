using System.Globalization;
using System.Text;
using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Components.PostgreSql.Restore;

/// <summary>
/// Restores a PostgreSQL cluster from a base backup and prepares its recovery (PostgreSQL manual, 26.3.5).
/// </summary>
/// <remarks>
/// The order makes a half-restored directory impossible to start by mistake: the old WAL and the old signal files go first, the files come,
/// and recovery.signal is the last to be written. Until then a server finds backup_label, or no control file, and no WAL to go with it, and
/// refuses. backup_label stays in place: without it a server would begin replay at the control file's checkpoint, which is later than the
/// backup's start, and end up with a damaged cluster that looks sound.
/// </remarks>
public sealed class PostgresRestore(BackupRepository repository, TimeProvider time)
{
    /// <summary>Where WAL that was in a directory before a restore in place is kept, beside the data directory.</summary>
    private const string KeptWalSuffix = ".pg_wal-before-restore-";

    /// <summary>Directories whose contents are not backed up and that a server needs (basebackup.c, excludeDirContents).</summary>
    private static readonly string[] EmptyDirectories =
    [
        "pg_wal", "pg_wal/archive_status", "pg_dynshmem", "pg_notify", "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_subtrans",
        "pg_tblspc",
    ];

    private readonly TreeRestorer _restorer = new(repository);
    private readonly BaseBackupSelector _selector = new(repository);

    /// <summary>Finds out what a restore would do, and refuses what it would refuse. Changes nothing.</summary>
    /// <exception cref="SnapshotNotFoundException">No such base backup.</exception>
    /// <exception cref="UnreachableTargetException">The goal is before the end of the base backup, or after the last WAL.</exception>
    /// <exception cref="RestoreRefusedException">The target directory, a tablespace or the settings do not allow it.</exception>
    public async ValueTask<PostgresRestorePlan> PlanAsync(PostgresRestoreOptions options, CancellationToken cancellationToken)
    {
        var (plan, _) = await PrepareAsync(options, cancellationToken).ConfigureAwait(false);
        return plan;
    }

    /// <summary>Restores. When this returns, the server can be started, and recovers to the goal by itself.</summary>
    /// <inheritdoc cref="PlanAsync" path="/exception"/>
    /// <exception cref="DamageException">Files cannot be restored because the repository is damaged; the directory cannot be started.</exception>
    public async ValueTask<PostgresRestoreReport> RunAsync(
        PostgresRestoreOptions options, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        var (plan, settings) = await PrepareAsync(options, cancellationToken).ConfigureAwait(false);
        var warnings = new List<string>(plan.Warnings);
        var root = plan.Layout.DataDirectory;
        if (plan.InPlace && Disarm(root) is { } kept)
            warnings.Add($"The WAL that was in {root} is kept in {kept}; remove it when nothing in it is missed.");

        var report = await _restorer.RestoreAsync(plan.Snapshot, TreeOptions(options, plan.Layout), progress, cancellationToken).ConfigureAwait(false);
        if (report.Damaged.Count > 0)
        {
            var some = string.Join(", ", report.Damaged.Take(5)) + (report.Damaged.Count > 5 ? ", …" : "");
            throw new DamageException(
                plan.Snapshot.Id,
                $"{report.Damaged.Count} files of {plan.Snapshot.Id} cannot be restored because the repository is damaged ({some}); {root} cannot be started. Run 'repository repair', or restore an earlier recovery point.");
        }

        warnings.AddRange(report.Warnings);
        var files = await OpenAsync(plan, cancellationToken).ConfigureAwait(false);
        foreach (var directory in EmptyDirectories) files.EnsureDirectory(directory);
        foreach (var tablespace in plan.Layout.Tablespaces)
        {
            files.EnsureDirectory(tablespace.Directory);
            if (!tablespace.IsInPlace)
                files.Link(string.Create(CultureInfo.InvariantCulture, $"pg_tblspc/{tablespace.Oid}"), tablespace.Directory);
        }

        // A map would make the server put the links back to where they were.
        foreach (var name in (string[])["tablespace_map", "standby.signal", "postmaster.pid", "postmaster.opts"]) files.Delete(name);

        var wal = 0L;
        if (options.RestoreCommand is null)
        {
            var archive = new WalArchive(repository, plan.Details.SystemIdentifier);
            wal = await WalDelivery.WriteAsync(
                archive, plan.Timeline, Lsn.Parse(plan.Details.StartLsn), plan.StopLsn, plan.Details.WalSegmentSize, files, cancellationToken)
                .ConfigureAwait(false);
        }

        await WriteSettingsAsync(files, root, options.DropOtherSettings, settings, cancellationToken).ConfigureAwait(false);
        return new PostgresRestoreReport(
            plan, report.Files, report.Bytes, report.WrittenBytes, wal, time.GetElapsedTime(started), warnings);
    }

    private async ValueTask<(PostgresRestorePlan Plan, IReadOnlyList<KeyValuePair<string, string>> Settings)> PrepareAsync(
        PostgresRestoreOptions options, CancellationToken cancellationToken)
    {
        var selected = await _selector.SelectAsync(options, cancellationToken).ConfigureAwait(false);
        var (details, window, resolved) = (selected.Details, selected.Window, selected.Resolved);
        var begin = Lsn.Parse(details.StopLsn);
        if (window.EndLsn < begin)
            throw new UnreachableTargetException(
                $"{selected.Snapshot.Id} cannot be restored: its WAL ends at LSN {window.EndLsn}, before the base backup is consistent at {begin}. {window.Gap ?? window.EndReason} Choose another recovery point.",
                window);

        var layout = RestoreLayout.Plan(options, details);
        var inPlace = TargetDirectory.Check(layout.DataDirectory, options, details);
        var goal = await PinAsync(options.Goal, selected, cancellationToken).ConfigureAwait(false);
        var timeline = options.Goal is RestoreGoal.ToEnd ? options.Timeline.For(details) : window.Timeline;
        var settings = RecoverySettings.For(goal, timeline, options.Action, options.RestoreCommand ?? WalDelivery.NoCommand);
        AutoConf.Edit([], [], settings); // refuses now what it would refuse later

        var stop = options.Goal is RestoreGoal.ToConsistency ? begin : resolved?.StopLsn ?? window.EndLsn;
        var walBytes = (long)Math.Max(stop.Value, begin.Value) - (long)Lsn.Parse(details.StartLsn).Value;
        var tree = await _restorer.PlanAsync(selected.Snapshot, TreeOptions(options, layout), cancellationToken).ConfigureAwait(false);
        var estimator = await RestoreEstimator.LoadAsync(repository, cancellationToken).ConfigureAwait(false);
        var plan = new PostgresRestorePlan
        {
            Snapshot = selected.Snapshot,
            Details = details,
            Goal = options.Goal,
            Window = window,
            StopLsn = stop,
            Timeline = window.Timeline,
            LastCommit = options.Goal is RestoreGoal.ToConsistency ? null : resolved is null ? window.EndTime : resolved.LastCommit,
            Layout = layout,
            InPlace = inPlace,
            Files = tree.Files,
            Bytes = tree.Bytes,
            StoredBytes = tree.StoredBytes,
            Requests = tree.Requests,
            WalBytes = walBytes,
            Estimate = estimator.Files(tree.Files, tree.Bytes, tree.Requests) + RestoreRates.Recovery(walBytes),
            EstimateOrigin = estimator.Origin,
            Objective = options.Objective,
            Warnings = Warn(options, window),
        };
        return (plan, settings);
    }

    /// <summary>A target at the very end of the WAL, said so that the server accepts it and cannot overshoot: see <see cref="LastRecord"/>.</summary>
    private async ValueTask<RestoreGoal> PinAsync(RestoreGoal goal, SelectedBackup selected, CancellationToken cancellationToken)
    {
        if (selected.Resolved is not { IsEndOfWal: true } resolved) return goal;
        var archive = new WalArchive(repository, selected.Details.SystemIdentifier);
        var last = await LastRecord.FindAsync(
            archive, resolved.Timeline, resolved.StopLsn, selected.Details.WalSegmentSize, cancellationToken).ConfigureAwait(false);
        return last is { } record ? RestoreGoal.To(new RecoveryTarget.AtLsn(record, Inclusive: true)) : RestoreGoal.Latest;
    }

    private static List<string> Warn(PostgresRestoreOptions options, RecoveryWindow window)
    {
        var warnings = new List<string>();
        if (options.Goal is RestoreGoal.ToEnd && window.Gap is { } gap)
            warnings.Add($"Recovery ends at LSN {window.EndLsn} though later WAL is archived: {gap}");
        if (options.Goal is RestoreGoal.ToEnd && options.Action != RecoveryAction.Promote)
            warnings.Add("PostgreSQL promotes at the end of the WAL whatever the target action is; name a target to make it stop there.");
        return warnings;
    }

    private static TreeRestoreOptions TreeOptions(PostgresRestoreOptions options, RestoreLayout layout) => new(layout.Roots)
    {
        Delta = RestoreLayout.MayReuse(options),
        DeleteExtra = RestoreLayout.MayReuse(options),
        Overwrite = RestoreLayout.MayReuse(options),
        Parallelism = options.Parallelism,
    };

    /// <summary>Makes a data directory that will be changed in place impossible to start, and saves its WAL: it may hold the last commits.</summary>
    /// <returns>Where the WAL is now, or null if there was none.</returns>
    private string? Disarm(string root)
    {
        foreach (var signal in (string[])["recovery.signal", "standby.signal"]) File.Delete(Path.Combine(root, signal));
        var wal = Path.Combine(root, "pg_wal");
        var isLink = new DirectoryInfo(wal).LinkTarget is not null;
        if (!isLink && (!Directory.Exists(wal) || !Directory.EnumerateFiles(wal).Any())) return null;
        var kept = root + KeptWalSuffix + time.GetUtcNow().UtcDateTime.ToString("yyyyMMdd'T'HHmmssfff'Z'", CultureInfo.InvariantCulture);
        Directory.Move(wal, kept); // a link is moved as a link
        return kept;
    }

    /// <summary>The restored directory, with the owner and access that the backup recorded for it.</summary>
    private async ValueTask<DataDirectoryFiles> OpenAsync(PostgresRestorePlan plan, CancellationToken cancellationToken)
    {
        await foreach (var entry in repository.ReadCatalogAsync(plan.Snapshot, cancellationToken).ConfigureAwait(false))
            if (entry.Path.Span.SequenceEqual("pgdata"u8)) return Open(entry.Mode, entry.UserId, entry.GroupId);

        // No entry for the directory itself: its files tell the owner.
        PosixException.Check(
            PathCalls.Open(Encoding.UTF8.GetBytes(Path.Combine(plan.Layout.DataDirectory, "PG_VERSION")), OpenFlags.ReadOnly, out var file), "open", "PG_VERSION");
        using (file)
        {
            PosixException.Check(FileCalls.Status(file!, out var status), "look at", "PG_VERSION");
            return Open(status.Mode | ((status.Mode & 0b000_100_000u) >> 2), status.UserId, status.GroupId);
        }

        DataDirectoryFiles Open(uint mode, uint user, uint group)
        {
            var files = new DataDirectoryFiles(plan.Layout.DataDirectory, mode, user, group);
            files.EnsureDirectory("");
            return files;
        }
    }

    private static async ValueTask WriteSettingsAsync(
        DataDirectoryFiles files, string root, bool drop, IReadOnlyList<KeyValuePair<string, string>> settings, CancellationToken cancellationToken)
    {
        const string Name = "postgresql.auto.conf";
        var path = Path.Combine(root, Name);
        var old = !drop && File.Exists(path) ? await File.ReadAllBytesAsync(path, cancellationToken).ConfigureAwait(false) : [];
        await files.WriteAsync(Name, AutoConf.Edit(old, [.. RecoverySettings.Names], settings), cancellationToken).ConfigureAwait(false);
        files.Sync("pg_tblspc");
        files.Sync("pg_wal");
        files.Sync("");
        await files.WriteAsync("recovery.signal", ReadOnlyMemory<byte>.Empty, cancellationToken).ConfigureAwait(false);
        files.Sync("");
    }
}
