using System.Globalization;
using System.Text.Json.Nodes;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Plans a restore of Redis: which keys, and whether the target would take them.</summary>
internal static class RedisPlanView
{
    public static async Task<int> RunAsync(CommandContext context, RestoreRequest request, CancellationToken cancellationToken)
    {
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, request.Component, cancellationToken);
        var plan = await RedisRestores.PlanAsync(context.Site, repository, request, cancellationToken);
        if (plan.Refusal is { } refusal) context.Printer.Warn(refusal);
        if (plan.Details.NoPointInTime is { } reason) context.Printer.Note($"The recovery point is no point in time: {reason}.");
        context.Printer.Result(() => ToJson(request, plan), output => Describe(request, plan, output));
        return plan.Refusal is null && plan.Summary.MeetsObjective != false ? ExitCode.Done : ExitCode.Warnings;
    }

    private static void Describe(RestoreRequest request, RedisPlan plan, TextWriter output)
    {
        output.WriteLine($"recovery point  {plan.SnapshotId}");
        output.WriteLine($"as of           {Human.Iso(plan.Details.Time)}");
        output.WriteLine($"target          {request.Target}");
        foreach (var (database, keys) in plan.Keys) output.WriteLine($"database {database,-6} {Human.Count(keys, "key", "keys")}");
        output.WriteLine($"values          {Human.Bytes(plan.Bytes)}");
        output.WriteLine(
            $"estimate        {Human.Time(TimeSpan.FromSeconds(plan.Summary.EstimatedSeconds))}, objective {Human.Time(TimeSpan.FromSeconds(plan.Summary.ObjectiveSeconds ?? 0))}; nothing was changed");
    }

    private static JsonObject ToJson(RestoreRequest request, RedisPlan plan) => new()
    {
        ["recovery_point"] = plan.SnapshotId,
        ["component"] = "redis",
        ["target"] = request.Target,
        ["state_at"] = Human.Iso(plan.Details.Time),
        ["point_in_time"] = plan.Details.NoPointInTime is null,
        ["keys"] = new JsonObject(plan.Keys.Select(k => KeyValuePair.Create(k.Key.ToString(CultureInfo.InvariantCulture), (JsonNode?)JsonValue.Create(k.Value)))),
        ["bytes"] = plan.Bytes,
        ["refusal"] = plan.Refusal,
        ["estimated_seconds"] = plan.Summary.EstimatedSeconds,
        ["objective_seconds"] = plan.Summary.ObjectiveSeconds,
        ["meets_objective"] = plan.Summary.MeetsObjective,
    };
}
