using System.Text.Json.Nodes;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Plans a restore of a logical backup of PostgreSQL.</summary>
internal static class LogicalPlanView
{
    public static async Task<int> RunAsync(CommandContext context, RestoreRequest request, CancellationToken cancellationToken)
    {
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, request.Component, cancellationToken);
        var plan = await LogicalRestores.PlanAsync(context.Site, repository, request, cancellationToken);
        if (plan.Refusal is { } refusal) context.Printer.Warn(refusal);
        context.Printer.Result(() => ToJson(request, plan), output => Describe(request, plan, output));
        return plan.Refusal is null && plan.Summary.MeetsObjective != false ? ExitCode.Done : ExitCode.Warnings;
    }

    private static void Describe(RestoreRequest request, LogicalPlan plan, TextWriter output)
    {
        output.WriteLine($"recovery point  {plan.SnapshotId} (logical, PostgreSQL {plan.Details.ServerVersion / 10_000})");
        output.WriteLine($"as of           {Human.Iso(plan.Details.Time)}");
        output.WriteLine($"target          {request.Target}");
        foreach (var (name, target) in plan.Databases) output.WriteLine($"database        {name}{(name == target ? "" : $" as {target}")}");
        output.WriteLine($"rows            {Human.Count(plan.Rows, "row", "rows")} of {Human.Count(plan.Tables, "table", "tables")}, {Human.Bytes(plan.Bytes)}");
        output.WriteLine(
            $"estimate        {Human.Time(TimeSpan.FromSeconds(plan.Summary.EstimatedSeconds))}, objective {Human.Time(TimeSpan.FromSeconds(plan.Summary.ObjectiveSeconds ?? 0))}; nothing was changed");
    }

    private static JsonObject ToJson(RestoreRequest request, LogicalPlan plan) => new()
    {
        ["recovery_point"] = plan.SnapshotId,
        ["component"] = "postgres",
        ["mode"] = "logical",
        ["target"] = request.Target,
        ["state_at"] = Human.Iso(plan.Details.Time),
        ["databases"] = new JsonArray([.. plan.Databases.Select(d => new JsonObject { ["name"] = d.Name, ["target"] = d.Target })]),
        ["tables"] = plan.Tables,
        ["rows"] = plan.Rows,
        ["bytes"] = plan.Bytes,
        ["refusal"] = plan.Refusal,
        ["estimated_seconds"] = plan.Summary.EstimatedSeconds,
        ["objective_seconds"] = plan.Summary.ObjectiveSeconds,
        ["meets_objective"] = plan.Summary.MeetsObjective,
    };
}
