using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Components.Estimates;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
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
        var changes = await ConfigurationView.AgainstTargetAsync(repository, snapshot, request.Target, cancellationToken);
        return Report(context, snapshot, request, plan, await RestoreEstimator.LoadAsync(repository, cancellationToken), changes);
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
