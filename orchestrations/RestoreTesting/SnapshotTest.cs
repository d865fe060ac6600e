using FunctionsBackup.Components;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Components.Redis.Verification;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.RestoreTesting;

/// <summary>Restores a snapshot into a scratch folder; of a database, starts a server on it.</summary>
public static class SnapshotTest
{
    /// <param name="site">Where configuration and clock are.</param>
    /// <param name="repository">Where the snapshot is.</param>
    /// <param name="snapshot">Which.</param>
    /// <param name="warn">Told of what could not be restored exactly, which is no damage.</param>
    /// <param name="progress">Told a few times a second.</param>
    /// <param name="cancellationToken">Stops; the scratch folder goes all the same.</param>
    public static Task<SnapshotTestResult> RunAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, Action<string> warn, IProgress<WorkProgress>? progress,
        CancellationToken cancellationToken) =>
        LogicalBackupDetails.FromJson(snapshot.Details) is not null
            ? RestoreRowsAsync(site, repository, snapshot, progress, cancellationToken)
            : snapshot.Component == "postgres"
            ? BootAsync(site, repository, snapshot, warn, progress, cancellationToken)
            : snapshot.Component == "redis"
                ? BootRedisAsync(site, repository, snapshot, progress, cancellationToken)
                : RestoreAsync(site, repository, snapshot, progress, cancellationToken);

    private static async Task<SnapshotTestResult> BootAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, Action<string> warn, IProgress<WorkProgress>? progress,
        CancellationToken cancellationToken)
    {
        var options = new PostgresBootCheckOptions { SnapshotId = snapshot.Id, Parallelism = site.Parallelism };
        var report = await new PostgresBootCheck(repository, site.Time).RunAsync(options, progress, cancellationToken);
        foreach (var warning in report.Warnings) warn(warning);
        var lines = report.Steps.SelectMany(step => step.Findings.Prepend(
            $"{(step.Passed ? "ok    " : "FAILED")} {step.Name}{(step.Detail.Length > 0 ? $": {step.Detail}" : "")} ({Human.Time(step.Duration)})"));
        return new SnapshotTestResult
        {
            SnapshotId = snapshot.Id,
            Component = snapshot.Component,
            Passed = report.Passed,
            Seconds = report.Duration.TotalSeconds,
            SecondsToService = report.TimeToService?.TotalSeconds,
            ObjectiveSeconds = site.Configuration.Objectives.For(snapshot.Component).Rto.TotalSeconds,
            RestoredBytes = report.RestoredBytes,
            Findings = [.. lines],
        };
    }

    private static async Task<SnapshotTestResult> RestoreRowsAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var started = site.Time.GetTimestamp();
        var report = await new LogicalBootCheck(repository, site.Time) { Parallelism = site.Parallelism }.RunAsync(snapshot, progress, cancellationToken);
        var took = site.Time.GetElapsedTime(started).TotalSeconds;
        return new SnapshotTestResult
        {
            SnapshotId = snapshot.Id,
            Component = snapshot.Component,
            Passed = report.Passed,
            Seconds = took,
            SecondsToService = report.Passed ? took : null,
            ObjectiveSeconds = site.Configuration.Objectives.For(snapshot.Component).Rto.TotalSeconds,
            RestoredBytes = report.Bytes,
            Findings = report.Findings,
        };
    }

    private static async Task<SnapshotTestResult> BootRedisAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var started = site.Time.GetTimestamp();
        var report = await new RedisBootCheck(repository, site.Time).RunAsync(snapshot, progress, cancellationToken);
        return new SnapshotTestResult
        {
            SnapshotId = snapshot.Id,
            Component = snapshot.Component,
            Passed = report.Passed,
            Seconds = site.Time.GetElapsedTime(started).TotalSeconds,
            SecondsToService = report.TimeToService?.TotalSeconds,
            ObjectiveSeconds = site.Configuration.Objectives.For(snapshot.Component).Rto.TotalSeconds,
            RestoredBytes = report.Bytes,
            Findings = report.Findings,
        };
    }

    private static async Task<SnapshotTestResult> RestoreAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, IProgress<WorkProgress>? progress, CancellationToken cancellationToken)
    {
        var started = site.Time.GetTimestamp();
        var scratch = Directory.CreateTempSubdirectory("fbackup-verify-").FullName;
        try
        {
            var options = new TreeRestoreOptions(FilesRestores.Roots(snapshot, scratch))
            {
                Ownership = Environment.IsPrivilegedProcess, Sync = false, Parallelism = site.Parallelism,
            };
            var report = await new TreeRestorer(repository).RestoreAsync(snapshot, options, progress, cancellationToken);
            var lines = report.Damaged.Select(d => $"lost: {d}").Concat(report.Warnings)
                .Prepend($"{Human.Count(report.Files, "file", "files")}, {Human.Bytes(report.Bytes)}, every chunk checked by its keyed hash");
            return new SnapshotTestResult
            {
                SnapshotId = snapshot.Id,
                Component = snapshot.Component,
                Passed = report.Damaged.Count == 0,
                Seconds = site.Time.GetElapsedTime(started).TotalSeconds,
                ObjectiveSeconds = site.Configuration.Objectives.For(snapshot.Component).Rto.TotalSeconds,
                RestoredBytes = report.Bytes,
                Findings = [.. lines],
            };
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }
}
