using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.SiteRestore;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Restores everything as of one moment, and says what came back and what did not.</summary>
internal static class SiteRestoreRun
{
    public static async Task<int> RunAsync(CommandContext context, SiteRestoreRequest request, CancellationToken cancellationToken)
    {
        await using var host = await WorkHost.StartAsync(context, cancellationToken); // while the key is being derived
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, null, cancellationToken);
        var start = await new SiteRestoreStarter(context.Site).StartAsync(host.Client, request with { RequestedBy = "cli" }, cancellationToken);
        context.Audit.Instance = start.InstanceId;
        if (!start.Started) throw new UsageException(
            $"{start.InstanceId} is restoring into that folder already; 'fbackup work follow {start.InstanceId}' shows it.");
        var result = await WorkRun.FollowAsync<SiteRestoreResult>(context, host, start.InstanceId, "restore all", cancellationToken);
        if (result.Plan is { } plan) SiteRestorePlan.Warn(context, plan);
        foreach (var (component, _, restored) in result.Components)
        {
            foreach (var warning in restored.Warnings) context.Printer.Warn($"{component}: {warning}");
            foreach (var path in restored.Damaged) context.Printer.Warn($"{component}: {path} could not be restored, because the repository is damaged.");
            if (restored.Failure is { } failure) context.Printer.Error($"{component}: {failure.Sentence}");
        }

        if (result.Components.Count == 0 && result.Failure is { } none) context.Printer.Error(none.Sentence);
        else context.Printer.LongResult(() => ToJson(start.InstanceId, request, result), output => Write(output, result));
        return result.ExitCode;
    }

    private static void Write(TextWriter output, SiteRestoreResult result)
    {
        foreach (var (component, target, restored) in result.Components.Where(c => c.Result.Failure is null))
        {
            var state = result.Plan?.Components.FirstOrDefault(c => c.Component == component);
            output.WriteLine(
                $"{component}: {Human.Count(restored.Files, "file", "files")}, {Human.Bytes(restored.Bytes)} in {target}"
                + (state?.StateAt is { } at ? $", as of {Human.Iso(at)}." : "."));
            if (component == "postgres" && restored.Plan is { } plan)
                output.WriteLine($"Start PostgreSQL {plan.ServerVersion / 10_000} on it: it recovers to {plan.Goal} by itself.");
        }

        if (result.Plan is { } made && SiteRestorePlan.Skew(made) is { } skew) output.WriteLine(skew);
    }

    private static JsonObject ToJson(string instanceId, SiteRestoreRequest request, SiteRestoreResult result) => new()
    {
        ["instance"] = instanceId,
        ["target"] = request.Target,
        ["plan"] = result.Plan is { } plan ? SiteRestorePlan.ToJson(plan) : null,
        ["components"] = new JsonArray([.. result.Components.Select(c => new JsonObject
        {
            ["component"] = c.Component,
            ["target"] = c.Target,
            ["recovery_point"] = c.Result.Plan?.SnapshotId,
            ["files"] = c.Result.Files,
            ["bytes"] = c.Result.Bytes,
            ["written_bytes"] = c.Result.WrittenBytes,
            ["seconds"] = c.Result.Seconds,
            ["exit_code"] = c.Result.ExitCode,
            ["error"] = c.Result.Failure?.Sentence,
        })]),
    };
}
