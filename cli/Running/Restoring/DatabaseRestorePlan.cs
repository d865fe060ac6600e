using System.Text.Json.Nodes;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Plans the restore of a PostgreSQL cluster.</summary>
internal static class DatabaseRestorePlan
{
    public static async Task<int> RunAsync(
        CommandContext context, RestoreRequest request, CancellationToken cancellationToken)
    {
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, "postgres", cancellationToken);
        var options = await RestoreRequests.PostgresOptionsAsync(repository, request, context.Site, cancellationToken);
        var restore = new PostgresRestore(repository, context.Time);
        var plan = await restore.PlanAsync(options, cancellationToken);
        foreach (var warning in plan.Warnings) context.Printer.Warn(warning);
        var doubt = await CleanPoints.DoubtAsync(repository, plan.Snapshot.Id, cancellationToken);
        if (doubt is not null) context.Printer.Warn(doubt);
        context.Printer.Result(() => ToJson(plan), output => Describe(plan, output));
        return plan.MeetsObjective == false || plan.Warnings.Count > 0 || doubt is not null ? ExitCode.Warnings : ExitCode.Done;
    }

    private static void Describe(PostgresRestorePlan plan, TextWriter output)
    {
        output.WriteLine($"base backup     {plan.Snapshot.Id}, complete at {Human.Moment(plan.Details.StopTime)}");
        output.WriteLine($"recovers to     {plan.Goal.Describe()}: LSN {plan.StopLsn} on timeline {plan.Timeline}");
        if (plan.LastCommit is { } commit) output.WriteLine($"last commit     {Human.Iso(commit)}");
        output.WriteLine($"reachable       {plan.Window.Describe()}");
        output.WriteLine($"target          {plan.Layout.DataDirectory}{(plan.InPlace ? ", changed in place" : "")}");
        foreach (var tablespace in plan.Layout.Tablespaces) output.WriteLine($"tablespace      {tablespace.Oid} to {tablespace.Directory}");
        output.WriteLine(
            $"restores        {Human.Count(plan.Files, "file", "files")}, {Human.Bytes(plan.Bytes)}, and {Human.Bytes(plan.WalBytes)} of WAL to replay");
        output.WriteLine($"fetches         {Human.Bytes(plan.StoredBytes)} in {Human.Count(plan.Requests, "request", "requests")}");
        output.WriteLine($"estimated time  {Human.Time(plan.Estimate)} ({plan.EstimateOrigin})");
        if (plan.Objective is { } objective) output.WriteLine(
            $"objective       {Human.Time(objective)}: {(plan.MeetsObjective == true ? "met" : "MISSED")}");
    }

    private static JsonObject ToJson(PostgresRestorePlan plan) => new()
    {
        ["recovery_point"] = plan.Snapshot.Id,
        ["component"] = plan.Snapshot.Component,
        ["target"] = plan.Layout.DataDirectory,
        ["in_place"] = plan.InPlace,
        ["goal"] = plan.Goal.Describe(),
        ["stop_lsn"] = plan.StopLsn.ToString(),
        ["timeline"] = plan.Timeline,
        ["last_commit"] = plan.LastCommit is { } commit ? Human.Iso(commit) : null,
        ["window"] = new JsonObject
        {
            ["begin_lsn"] = plan.Window.BeginLsn.ToString(),
            ["begin_time"] = Human.Iso(plan.Window.BeginTime),
            ["end_lsn"] = plan.Window.EndLsn.ToString(),
            ["end_time"] = plan.Window.EndTime is { } end ? Human.Iso(end) : null,
            ["gap"] = plan.Window.Gap,
        },
        ["files"] = plan.Files,
        ["bytes"] = plan.Bytes,
        ["stored_bytes"] = plan.StoredBytes,
        ["requests"] = plan.Requests,
        ["wal_bytes"] = plan.WalBytes,
        ["estimated_seconds"] = Math.Round(plan.Estimate.TotalSeconds, 1),
        ["estimate_origin"] = plan.EstimateOrigin,
        ["objective_seconds"] = plan.Objective?.TotalSeconds,
        ["meets_objective"] = plan.MeetsObjective,
    };
}
