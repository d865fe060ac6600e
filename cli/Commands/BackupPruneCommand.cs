using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Retention;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>backup prune</c>: removes the recovery points that no rule of <c>policies</c> keeps, the WAL that no kept base backup needs, and,
/// after a time of grace, the packs that nothing refers to. <c>--dry-run</c> shows exactly that and why, and changes nothing.
/// </summary>
internal static class BackupPruneCommand
{
    public static Command Create()
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Show what would go and why; change nothing." };
        var grace = new Option<double>("--grace-hours")
        {
            Description = "How long packs that nothing needs stay after they were marked; longer than the longest backup.",
            DefaultValueFactory = _ => 24,
        };
        grace.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<double>() is not (>= 1 and <= 8760)) r.AddError("--grace-hours is 1 to 8760.");
        });
        return new Command("prune", "Remove what the retention policies no longer keep.") { dryRun, grace, WorkOptions.OnInterrupt }.Does(
            async (context, cancellationToken) =>
        {
            var request = new RetentionRequest { DryRun = context.Get(dryRun), GraceHours = context.Get(grace), RequestedBy = "cli" };
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            await repository.Snapshots.EnsureNoneLostAsync(cancellationToken);
            var decisions = await RetentionDecisions.DecideAsync(
                context.Configuration, repository, context.Time.GetUtcNow(), cancellationToken);
            await using var host = await WorkHost.StartAsync(context, cancellationToken);
            var start = await new RetentionStarter(context.Site).StartAsync(host.Client, request, cancellationToken);
            context.Audit.Instance = start.InstanceId;
            context.Audit.Note("dry_run", request.DryRun ? "true" : "false");
            if (!start.Started) context.Printer.Note($"{start.InstanceId} is at it already; this is what it comes to.");
            var result = await WorkRun.FollowAsync<RetentionResult>(context, host, start.InstanceId, "prune", cancellationToken);
            if (result.Failure is { } failure)
            {
                context.Printer.Error(failure.Sentence);
                return result.ExitCode;
            }

            context.Printer.Result(() => ToJson(decisions, result), output => Write(output, context.Printer.IsTerminal, decisions, result));
            return result.Outcome == RunOutcome.Cancelled ? ExitCode.Interrupted : result.ExitCode;
        });
    }

    private static void Write(TextWriter output, bool terminal, IReadOnlyList<RetentionDecision> decisions, RetentionResult result)
    {
        if (decisions.Count > 0)
        {
            var table = new Table("recovery point", "", "why");
            foreach (var d in decisions) table.Add(
                d.Candidate.Id, d.LockedUntil is not null ? "locked" : d.Keep ? "stays" : result.DryRun ? "would go" : "went", string.Join("; ", d.Reasons));
            table.Write(output, terminal);
        }

        var would = result.DryRun ? "would be " : "";
        output.WriteLine($"{Human.Count(result.Removed, "recovery point", "recovery points")} {would}removed, {result.Kept} kept.");
        output.WriteLine($"{Human.Count(result.WalObjects, "WAL object", "WAL objects")} ({Human.Bytes(result.WalBytes)}) {would}removed.");
        output.WriteLine(
            $"{Human.Count(result.FreedPacks, "pack", "packs")} ({Human.Bytes(result.FreedBytes)}) {would}freed; {Human.Bytes(result.WaitingBytes)} wait"
            + (result.RemovableAt is { } at ? $" until {Human.Moment(at)}, so that no running backup can be harmed." : "."));
        if (result.Expired > 0)
            output.WriteLine($"{Human.Count(result.Expired, "recovery point", "recovery points")} stay only until their locks end.");
        foreach (var share in result.Locked)
            output.WriteLine(
                $"{Human.Count(share.Objects, "object", "objects")} ({Human.Bytes(share.Bytes)}) that nothing needs are locked; freed "
                + (share.Until < DateTimeOffset.MaxValue ? $"after {Human.Moment(share.Until)}." : "when a legal hold is lifted."));
        if (result.RenewedLocks > 0)
            output.WriteLine($"{Human.Count(result.RenewedLocks, "lock", "locks")} {would}renewed.");
    }

    private static JsonObject ToJson(IReadOnlyList<RetentionDecision> decisions, RetentionResult result) => new()
    {
        ["dry_run"] = result.DryRun,
        ["recovery_points"] = new JsonArray([.. decisions.Select(d => new JsonObject
        {
            ["id"] = d.Candidate.Id,
            ["component"] = d.Candidate.Component,
            ["keep"] = d.Keep,
            ["locked_until"] = d.LockedUntil is { } until ? Human.Iso(until) : null,
            ["reasons"] = new JsonArray([.. d.Reasons.Select(r => JsonValue.Create(r))]),
        })]),
        ["wal_objects_removed"] = result.WalObjects,
        ["wal_bytes_removed"] = result.WalBytes,
        ["packs_freed"] = result.FreedPacks,
        ["bytes_freed"] = result.FreedBytes,
        ["packs_marked"] = result.MarkedPacks,
        ["packs_repacked"] = result.RepackedPacks,
        ["bytes_waiting"] = result.WaitingBytes,
        ["removable_at"] = result.RemovableAt is { } at ? Human.Iso(at) : null,
        ["locks_renewed"] = result.RenewedLocks,
        ["locked"] = new JsonArray([.. result.Locked.Select(s => new JsonObject
        {
            ["until"] = Human.Iso(s.Until), ["objects"] = s.Objects, ["bytes"] = s.Bytes,
        })]),
    };
}
