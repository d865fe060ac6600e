using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Plans the restore of a component of files: each protected path appears in the target under its own name.</summary>
internal static class FilesRestorePlan
{
    public static async Task<int> RunAsync(CommandContext context, RestoreRequest request, CancellationToken cancellationToken)
    {
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        if (request.ToTime is not null && request.Point != "latest")
            throw new UsageException("--to-time goes with latest: it chooses the recovery point by itself.");
        var snapshot = await FilesRestores.FindAsync(repository, request, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, request.Component, cancellationToken);
        if (request.Target == KubernetesRestores.Target) return await PlanClusterAsync(context, repository, snapshot, request, cancellationToken);
        var options = new TreeRestoreOptions(FilesRestores.Roots(snapshot, request.Target))
        {
            Include = request.Include,
            Delta = request.Delta,
            DeleteExtra = request.DeleteExtra,
            Overwrite = request.Overwrite,
            Staging = request.Staging,
            OwnersByName = request.OwnersByName,
            Ownership = Environment.IsPrivilegedProcess,
            Parallelism = context.Parallelism,
        };
        var restorer = new TreeRestorer(repository);
        var plan = await restorer.PlanAsync(snapshot, options, cancellationToken);
        var changes = await ConfigurationView.AgainstTargetAsync(context.Site, repository, snapshot, request.Target, cancellationToken);
        return Report(context, snapshot, request, plan, await RestoreEstimator.LoadAsync(repository, cancellationToken), changes);
    }

    /// <summary>What would become different, and whether the server would take it.</summary>
    private static async Task<int> PlanClusterAsync(
        CommandContext context, BackupRepository repository, Snapshot snapshot, RestoreRequest request, CancellationToken cancellationToken)
    {
        var changes = await KubernetesRestores.CompareAsync(context.Site, repository, snapshot, cancellationToken);
        var report = await KubernetesRestores.RunAsync(context.Site, repository, snapshot, request with { PlanOnly = true }, cancellationToken);
        foreach (var warning in report.Warnings) context.Printer.Warn(warning);
        context.Printer.Result(
            () => new JsonObject
            {
                ["recovery_point"] = snapshot.Id,
                ["component"] = snapshot.Component,
                ["target"] = request.Target,
                ["files"] = report.Objects,
                ["bytes"] = report.Bytes,
                ["changes"] = ConfigurationView.ToJson(changes),
            },
            output =>
            {
                ConfigurationView.Write(changes, output);
                output.WriteLine($"The server would take {Human.Count(report.Objects, "object", "objects")} of {snapshot.Id} (dry run).");
            });
        return report.Warnings.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
    }

    private static int Report(
        CommandContext context, Snapshot snapshot, RestoreRequest request, TreeRestorePlan plan, RestoreEstimator estimator, ConfigurationChanges? changes)
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
                ["changes"] = changes is null ? null : ConfigurationView.ToJson(changes),
            },
            output =>
            {
                output.WriteLine($"recovery point  {snapshot.Id}, taken {Human.Moment(snapshot.CompletedAt)}");
                output.WriteLine($"target          {request.Target}");
                output.WriteLine($"restores        {Human.Count(plan.Files, "file", "files")}, {Human.Bytes(plan.Bytes)}");
                output.WriteLine($"fetches         {Human.Bytes(plan.StoredBytes)} in {Human.Count(plan.Requests, "request", "requests")}");
                output.WriteLine($"estimated time  {Human.Time(estimate)} ({estimator.Origin})");
                output.WriteLine($"objective       {Human.Time(objective)}: {(estimate <= objective ? "met" : "MISSED")}");
                if (changes is not null) ConfigurationView.Write(changes, output);
            });
        return estimate <= objective ? ExitCode.Done : ExitCode.Warnings;
    }
}
