using System.Text.Json.Nodes;
using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>What files to restore, and to where.</summary>
/// <param name="Component"><c>voice_data</c>, <c>logs</c> or <c>configuration</c>.</param>
/// <param name="Point">An id, a unique beginning of it, or <c>latest</c>.</param>
/// <param name="Target">Absolute folder.</param>
internal sealed record FilesRestoreRequest(string Component, string Point, string Target)
{
    /// <summary>With <c>latest</c>: the newest that was complete by then.</summary>
    public DateTimeOffset? At { get; init; }

    public IReadOnlyList<string> Include { get; init; } = [];

    public bool Delta { get; init; }

    public bool DeleteExtra { get; init; }

    public bool Overwrite { get; init; }

    public bool Staging { get; init; }

    public bool OwnersByName { get; init; }
}

/// <summary>Restores, or plans to restore, a component of files: each protected path appears in the target under its own name.</summary>
internal static class FilesRestore
{
    public static async Task<int> RunAsync(
        CommandContext context, FilesRestoreRequest request, bool planOnly, CancellationToken cancellationToken)
    {
        var repository = await context.OpenRepositoryAsync(cancellationToken);
        if (request.At is not null && request.Point != "latest")
            throw new UsageException("--to-time goes with latest: it chooses the recovery point by itself.");
        var snapshot = await FilesRestores.FindAsync(repository, request.Component, request.Point, request.At, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, request.Component, cancellationToken);
        var options = new TreeRestoreOptions(FilesRestores.Roots(snapshot, request.Target))
        {
            Include = request.Include,
            Delta = request.Delta,
            DeleteExtra = request.DeleteExtra,
            Overwrite = request.Overwrite,
            Staging = request.Staging,
            Ownership = Environment.IsPrivilegedProcess,
            OwnersByName = request.OwnersByName,
            Parallelism = context.Parallelism,
        };
        var restorer = new TreeRestorer(repository);
        if (planOnly)
        {
            var plan = await restorer.PlanAsync(snapshot, options, cancellationToken);
            return Report(context, snapshot, request, plan, await RestoreEstimator.LoadAsync(repository, cancellationToken));
        }

        var started = context.Time.GetTimestamp();
        var progress = context.Printer.Progress($"restore {request.Component}");
        var report = await restorer.RestoreAsync(snapshot, options, progress, cancellationToken);
        context.Printer.EndProgress();
        var duration = context.Time.GetElapsedTime(started);
        foreach (var warning in report.Warnings) context.Printer.Warn(warning);
        foreach (var path in report.Damaged) context.Printer.Warn($"{path} could not be restored, because the repository is damaged.");
        context.Printer.LongResult(
            () => new JsonObject
            {
                ["recovery_point"] = snapshot.Id,
                ["component"] = snapshot.Component,
                ["target"] = request.Target,
                ["files"] = report.Files,
                ["bytes"] = report.Bytes,
                ["written_bytes"] = report.WrittenBytes,
                ["seconds"] = duration.TotalSeconds,
                ["warnings"] = new JsonArray([.. report.Warnings.Select(w => JsonValue.Create(w))]),
                ["damaged"] = new JsonArray([.. report.Damaged.Select(d => JsonValue.Create(d))]),
            },
            output => output.WriteLine(
                $"Restored {snapshot.Id} to {request.Target}: {Human.Count(report.Files, "file", "files")}, {Human.Bytes(report.Bytes)}, "
                + $"{Human.Bytes(report.WrittenBytes)} written in {Human.Time(duration)}."));
        if (report.Damaged.Count > 0) return ExitCode.Damage;
        return report.Warnings.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
    }

    private static int Report(
        CommandContext context, Snapshot snapshot, FilesRestoreRequest request, TreeRestorePlan plan, RestoreEstimator estimator)
    {
        var objective = context.Configuration.Objectives.For(snapshot.Component).Rto;
        var estimate = estimator.Files(plan.Files, plan.Bytes, plan.Requests);
        context.Printer.Result(
            () => new JsonObject
            {
                ["recovery_point"] = snapshot.Id,
                ["component"] = snapshot.Component,
                ["target"] = request.Target,
                ["files"] = plan.Files,
                ["bytes"] = plan.Bytes,
                ["stored_bytes"] = plan.StoredBytes,
                ["requests"] = plan.Requests,
                ["estimated_seconds"] = Math.Round(estimate.TotalSeconds, 1),
                ["estimate_origin"] = estimator.Origin,
                ["objective_seconds"] = objective.TotalSeconds,
                ["meets_objective"] = estimate <= objective,
            },
            output =>
            {
                output.WriteLine($"recovery point  {snapshot.Id}, taken {Human.Moment(snapshot.CompletedAt)}");
                output.WriteLine($"target          {request.Target}");
                output.WriteLine($"restores        {Human.Count(plan.Files, "file", "files")}, {Human.Bytes(plan.Bytes)}");
                output.WriteLine($"fetches         {Human.Bytes(plan.StoredBytes)} in {Human.Count(plan.Requests, "request", "requests")}");
                output.WriteLine($"estimated time  {Human.Time(estimate)} ({estimator.Origin})");
                output.WriteLine($"objective       {Human.Time(objective)}: {(estimate <= objective ? "met" : "MISSED")}");
            });
        return estimate <= objective ? ExitCode.Done : ExitCode.Warnings;
    }
}
