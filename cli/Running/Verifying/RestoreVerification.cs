using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running.Restoring;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.PostgreSql.Verification;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Running.Verifying;

/// <summary>Verifies recovery points by restoring each into a scratch folder; of a database, by starting a server on it.</summary>
internal static class RestoreVerification
{
    private sealed record Outcome(string Id, bool Passed, TimeSpan Duration, IReadOnlyList<string> Lines);

    public static async Task<int> RunAsync(
        CommandContext context, BackupRepository repository, IReadOnlyList<Snapshot> points, CancellationToken cancellationToken)
    {
        var outcomes = new List<Outcome>();
        foreach (var point in points)
        {
            var progress = context.Printer.Progress($"restore {point.Id}");
            outcomes.Add(point.Component == "postgres"
                ? await BootAsync(context, repository, point, progress, cancellationToken)
                : await RestoreFilesAsync(context, repository, point, progress, cancellationToken));
            context.Printer.EndProgress();
            context.Printer.Event("verified", ToJson(outcomes[^1]));
        }

        context.Printer.LongResult(
            () => new JsonObject { ["level"] = "restore", ["recovery_points"] = new JsonArray([.. outcomes.Select(ToJson)]) },
            output =>
            {
                foreach (var outcome in outcomes)
                {
                    output.WriteLine($"{outcome.Id}  {(outcome.Passed ? "restores" : "DOES NOT RESTORE")}, {Human.Time(outcome.Duration)}");
                    foreach (var line in outcome.Lines) output.WriteLine($"  {line}");
                }
            });
        return outcomes.All(o => o.Passed) ? ExitCode.Done : ExitCode.Damage;
    }

    private static async Task<Outcome> BootAsync(
        CommandContext context, BackupRepository repository, Snapshot point, IProgress<Components.WorkProgress>? progress,
            CancellationToken cancellationToken)
    {
        var options = new PostgresBootCheckOptions { SnapshotId = point.Id, Parallelism = context.Parallelism };
        var report = await new PostgresBootCheck(repository, context.Time).RunAsync(options, progress, cancellationToken);
        foreach (var warning in report.Warnings) context.Printer.Warn(warning);
        var lines = report.Steps.SelectMany(step => step.Findings.Prepend(
            $"{(step.Passed ? "ok    " : "FAILED")} {step.Name}{(step.Detail.Length > 0 ? $": {step.Detail}" : "")} ({Human.Time(step.Duration)})"));
        return new Outcome(point.Id, report.Passed, report.Duration, [.. lines]);
    }

    private static async Task<Outcome> RestoreFilesAsync(
        CommandContext context, BackupRepository repository, Snapshot point, IProgress<Components.WorkProgress>? progress,
            CancellationToken cancellationToken)
    {
        var started = context.Time.GetTimestamp();
        var scratch = Directory.CreateTempSubdirectory("fbackup-verify-").FullName;
        try
        {
            var options = new TreeRestoreOptions(FilesRestore.Roots(point, scratch))
            {
                Ownership = Environment.IsPrivilegedProcess, Sync = false, Parallelism = context.Parallelism,
            };
            var report = await new TreeRestorer(repository).RestoreAsync(point, options, progress, cancellationToken);
            var lines = report.Damaged.Select(d => $"lost: {d}").Concat(report.Warnings)
                .Prepend($"{Human.Count(report.Files, "file", "files")}, {Human.Bytes(report.Bytes)}, every chunk checked by its keyed hash");
            return new Outcome(point.Id, report.Damaged.Count == 0, context.Time.GetElapsedTime(started), [.. lines]);
        }
        finally
        {
            Directory.Delete(scratch, recursive: true);
        }
    }

    private static JsonObject ToJson(Outcome outcome) => new()
    {
        ["id"] = outcome.Id,
        ["passed"] = outcome.Passed,
        ["seconds"] = outcome.Duration.TotalSeconds,
        ["findings"] = new JsonArray([.. outcome.Lines.Select(l => JsonValue.Create(l))]),
    };
}
