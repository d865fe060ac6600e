using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Retention;
using FunctionsBackup.Storage.FileSystem;

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
        return new Command("prune", "Remove what the retention policies no longer keep.") { dryRun, grace }.Does(
            async (context, cancellationToken) =>
        {
            var dry = context.Get(dryRun);
            var repository = await context.OpenRepositoryAsync(cancellationToken);
            await repository.Snapshots.EnsureNoneLostAsync(cancellationToken);
            var decisions = await RetentionDecisions.DecideAsync(
                context.Configuration, repository, context.Time.GetUtcNow(), cancellationToken);
            var removed = decisions.Where(d => !d.Keep).ToList();
            if (!dry)
                foreach (var decision in removed) await repository.Snapshots.DeleteAsync(decision.Candidate.Id, cancellationToken);
            await repository.Points.PruneAsync(repository.Snapshots, removed.Select(d => d.Candidate.Id).ToHashSet(), dry, cancellationToken);
            var kept = decisions.Where(d => d.Keep).Select(d => d.Candidate.Id).ToHashSet();
            var wal = await WalRetention.PruneAsync(repository, kept, dry, cancellationToken);
            var garbage = await new GarbageCollector(repository).RunAsync(
                new CollectionOptions { DryRun = dry, Grace = TimeSpan.FromHours(context.Get(grace)), Parallelism = context.Parallelism },
                cancellationToken);
            if (!dry && repository.Store is FileSystemObjectStore folder)
                await folder.CleanTemporaryAsync(TimeSpan.FromHours(context.Get(grace)), cancellationToken);
            context.Printer.Result(
                () => ToJson(dry, decisions, wal, garbage), output =>
                    Write(output, context.Printer.IsTerminal, dry, decisions, wal, garbage));
            return ExitCode.Done;
        });
    }

    private static void Write(
        TextWriter output, bool terminal, bool dry, IReadOnlyList<RetentionDecision> decisions, WalRetention.Pruned wal,
            CollectionReport garbage)
    {
        if (decisions.Count > 0)
        {
            var table = new Table("recovery point", "", "why");
            foreach (var d in decisions) table.Add(
                d.Candidate.Id, d.Keep ? "stays" : dry ? "would go" : "went", string.Join("; ", d.Reasons));
            table.Write(output, terminal);
        }

        var would = dry ? "would be " : "";
        output.WriteLine(
            $"{Human.Count(decisions.Count(d => !d.Keep), "recovery point", "recovery points")} {would}removed, {decisions.Count(d => d.Keep)} kept.");
        output.WriteLine($"{Human.Count(wal.Objects, "WAL object", "WAL objects")} ({Human.Bytes(wal.Bytes)}) {would}removed.");
        output.WriteLine(
            $"{Human.Count(garbage.DeletedPacks, "pack", "packs")} ({Human.Bytes(garbage.FreedBytes)}) {would}freed; {Human.Bytes(garbage.WaitingBytes)} wait"
            + (garbage.RemovableAt is { } at ? $" until {Human.Moment(at)}, so that no running backup can be harmed." : "."));
    }

    private static JsonObject ToJson(
        bool dry, IReadOnlyList<RetentionDecision> decisions, WalRetention.Pruned wal, CollectionReport garbage) => new()
    {
        ["dry_run"] = dry,
        ["recovery_points"] = new JsonArray([.. decisions.Select(d => new JsonObject
        {
            ["id"] = d.Candidate.Id,
            ["component"] = d.Candidate.Component,
            ["keep"] = d.Keep,
            ["reasons"] = new JsonArray([.. d.Reasons.Select(r => JsonValue.Create(r))]),
        })]),
        ["wal_objects_removed"] = wal.Objects,
        ["wal_bytes_removed"] = wal.Bytes,
        ["packs_freed"] = garbage.DeletedPacks,
        ["bytes_freed"] = garbage.FreedBytes,
        ["packs_marked"] = garbage.MarkedPacks,
        ["packs_repacked"] = garbage.RepackedPacks,
        ["bytes_waiting"] = garbage.WaitingBytes,
        ["removable_at"] = garbage.RemovableAt is { } at ? Human.Iso(at) : null,
    };
}
