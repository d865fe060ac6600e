using System.Text.Json.Nodes;
using FunctionsBackup.Components.PostgreSql.Restore;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Restores, or plans to restore, a PostgreSQL cluster.</summary>
internal static class DatabaseRestore
{
    public static async Task<int> RunAsync(
        CommandContext context, PostgresRestoreOptions options, bool planOnly, CancellationToken cancellationToken)
    {
        var repository = await context.OpenRepositoryAsync(cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, "postgres", cancellationToken);
        var restore = new PostgresRestore(repository, context.Time);
        if (planOnly)
        {
            var plan = await restore.PlanAsync(options, cancellationToken);
            foreach (var warning in plan.Warnings) context.Printer.Warn(warning);
            context.Printer.Result(() => ToJson(plan), output => Describe(plan, output));
            return plan.MeetsObjective == false || plan.Warnings.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
        }

        var report = await restore.RunAsync(options, context.Printer.Progress("restore postgres"), cancellationToken);
        context.Printer.EndProgress();
        foreach (var warning in report.Warnings) context.Printer.Warn(warning);
        context.Printer.LongResult(
            () =>
            {
                var json = ToJson(report.Plan);
                json["written_bytes"] = report.WrittenBytes;
                json["wal_bytes_written"] = report.WalBytes;
                json["seconds"] = report.Duration.TotalSeconds;
                json["warnings"] = new JsonArray([.. report.Warnings.Select(w => JsonValue.Create(w))]);
                return json;
            },
            output =>
            {
                output.WriteLine(
                    $"Restored {report.Plan.Snapshot.Id} to {report.Plan.Layout.DataDirectory}: {Human.Count(report.Files, "file", "files")}, "
                    + $"{Human.Bytes(report.Bytes)}, {Human.Bytes(report.WalBytes)} of WAL in {Human.Time(report.Duration)}.");
                output.WriteLine(
                    $"Start PostgreSQL {report.Plan.Details.ServerVersion / 10_000} on it: it recovers to {report.Plan.Goal.Describe()} by itself.");
            });
        return report.Warnings.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
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
