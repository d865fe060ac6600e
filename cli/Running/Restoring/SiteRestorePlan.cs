using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.SiteRestore;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Says to which state each component would come back, and how far apart these are.</summary>
internal static class SiteRestorePlan
{
    public static async Task<int> RunAsync(CommandContext context, SiteRestoreRequest request, CancellationToken cancellationToken)
    {
        SiteRestoreStarter.Check(request);
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, null, cancellationToken);
        var plan = await new SitePlanner(repository).PlanAsync(request.Components, request.ToTime, request.BeforeAnomaly, cancellationToken);
        Warn(context, plan);
        if (plan.Components.Count == 0) context.Printer.Error("The repository has no recovery point; 'fbackup backup run' makes one.");
        context.Printer.Result(() => ToJson(plan), output => Write(context, plan, output));
        return plan.Components.All(c => c.SnapshotId is null) ? ExitCode.NotFound
            : plan.Components.Any(c => c.Problem is not null) ? ExitCode.Warnings : ExitCode.Done;
    }

    public static void Warn(CommandContext context, SitePlan plan)
    {
        foreach (var problem in plan.Components.Select(c => c.Problem).OfType<string>()) context.Printer.Warn(problem);
    }

    private static void Write(CommandContext context, SitePlan plan, TextWriter output)
    {
        var table = new Table("component", "recovery point", "state as of", plan.ToTime is null ? "" : "before the moment");
        foreach (var state in plan.Components)
            table.Add(
                state.Component, state.SnapshotId ?? "none", state.StateAt is { } at ? Human.Iso(at) + (state.Replays ? ", replayed" : "") : "-",
                state.BehindSeconds is { } behind ? Human.Time(TimeSpan.FromSeconds(behind)) : "");
        table.Write(output, context.Printer.IsTerminal);
        if (Skew(plan) is { } skew) output.WriteLine(skew);
    }

    public static string? Skew(SitePlan plan) => plan.SkewSeconds is { } seconds
        ? $"These states are up to {Human.Time(TimeSpan.FromSeconds(seconds))} apart."
        : null;

    public static JsonObject ToJson(SitePlan plan) => new()
    {
        ["to_time"] = plan.ToTime is { } moment ? Human.Iso(moment) : null,
        ["skew_seconds"] = plan.SkewSeconds,
        ["components"] = new JsonArray([.. plan.Components.Select(c => new JsonObject
        {
            ["component"] = c.Component,
            ["recovery_point"] = c.SnapshotId,
            ["state_at"] = c.StateAt is { } at ? Human.Iso(at) : null,
            ["replays"] = c.Replays,
            ["behind_seconds"] = c.BehindSeconds,
            ["problem"] = c.Problem,
        })]),
    };
}
