using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Standing;
using FunctionsBackup.SelfHosting.Hosting;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>status</c>: of each configured component, is it protected, would it restore, is it within its objectives? Exit code 3 if
/// not. And what is being done at the moment.</summary>
internal static class StatusCommand
{
    public static Command Create() => new Command("status", "Is everything protected, would it restore, how long would it take?").Does(
        async (context, cancellationToken) =>
    {
        var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
        var standings = new List<ComponentStanding>();
        var damaged = await ComponentStanding.FindDamagedAsync(repository, cancellationToken);
        foreach (var component in context.Configuration.ConfiguredComponents)
            standings.Add(await ComponentStanding.OfAsync(context.Site, repository, component, damaged, cancellationToken));
        if (standings.Count == 0) context.Printer.Warn(
            $"No component is configured; add one under components in {context.ConfigurationFile}.");
        var replicas = await Task.WhenAll(context.Configuration.Replicas.Select(
            r => ReplicaStanding.OfAsync(context.Site, repository, r, cancellationToken)));
        var well = standings.Count > 0 && standings.All(s => s.IsWell) && replicas.All(r => r.IsWell);
        var work = await WorkAsync(context, cancellationToken);

        context.Printer.Result(
            () => new JsonObject
            {
                ["well"] = well,
                ["components"] = new JsonArray([.. standings.Select(ToJson)]),
                ["replicas"] = new JsonArray([.. replicas.Select(ReplicaView.ToJson)]),
                ["work"] = work is null ? null : new JsonArray([.. work.Select(WorkView.ToJson)]),
            },
            output =>
            {
                var table = new Table(
                    "component", "protected", "restorable", "loss now", "RPO", "restore est.", "RTO", "newest recovery point");
                foreach (var s in standings)
                {
                    table.Add(
                        s.Component, Yes(s.IsProtected), Yes(s.IsRestorable), s.Loss is { } loss ? Human.Time(loss) : "-",
                        $"{Human.Time(s.Objective.Rpo)} {Verdict(s.WithinRpo)}", s.Estimate is { } estimate ? Human.Time(estimate) : "-",
                        $"{Human.Time(s.Objective.Rto)} {Verdict(s.WithinRto)}", s.Newest?.Id ?? "none");
                }

                table.Write(output, context.Printer.IsTerminal);
                if (replicas.Length > 0)
                {
                    output.WriteLine();
                    ReplicaView.Write(replicas, output, context.Printer.IsTerminal);
                }

                if (work is not { Count: > 0 }) return;
                output.WriteLine();
                WorkView.Write(work, output, context.Printer.IsTerminal);
            });
        foreach (var reason in standings.SelectMany(s => s.Reasons)) context.Printer.Warn(reason);
        foreach (var reason in replicas.Select(r => r.Reason).OfType<string>()) context.Printer.Warn(reason);
        return well ? ExitCode.Done : ExitCode.Warnings;
    });

    /// <summary>What is at work; null if the state cannot be read, which says nothing about what is protected.</summary>
    private static async Task<IReadOnlyList<RunningWork>?> WorkAsync(CommandContext context, CancellationToken cancellationToken)
    {
        try
        {
            if (!WorkHost.HasState(context)) return [];
            await using var host = await WorkHost.LookAsync(context, cancellationToken);
            return await RunningWork.ListAsync(host.Client, cancellationToken);
        }
        catch (HostingException e)
        {
            context.Printer.Warn($"What is at work is not known: {e.Message}");
            return null;
        }
    }

    private static string Yes(bool value) => value ? "yes" : "NO";

    private static string Verdict(bool value) => value ? "met" : "MISSED";

    private static JsonObject ToJson(ComponentStanding s) => new()
    {
        ["component"] = s.Component,
        ["well"] = s.IsWell,
        ["protected"] = s.IsProtected,
        ["restorable"] = s.IsRestorable,
        ["suspicious"] = s.Suspicious,
        ["newest_recovery_point"] = s.Newest?.Id,
        ["newest_completed_at"] = s.Newest is { } newest ? Human.Iso(newest.CompletedAt) : null,
        ["loss_seconds"] = s.Loss?.TotalSeconds,
        ["rpo_seconds"] = s.Objective.Rpo.TotalSeconds,
        ["within_rpo"] = s.WithinRpo,
        ["estimated_restore_seconds"] = s.Estimate?.TotalSeconds,
        ["estimate_origin"] = s.EstimateOrigin,
        ["rto_seconds"] = s.Objective.Rto.TotalSeconds,
        ["within_rto"] = s.WithinRto,
        ["reasons"] = new JsonArray([.. s.Reasons.Select(r => JsonValue.Create(r))]),
    };
}
