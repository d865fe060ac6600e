using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Replication;
using FunctionsBackup.Repository.Damage;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>repository repair</c>: heals the repository and its replicas from each other, builds the index anew from the packs alone, puts lost records back from their copies, and marks what is lost. Exit code 5 while something is
/// lost.</summary>
internal static class RepositoryRepairCommand
{
    public static Command Create()
    {
        var readAll = new Option<bool>("--read-all")
        {
            Description = "Read every byte of every pack, not only what a verification found bad.",
        };
        return new Command("repair", "Heal from the replicas, rebuild the index from the packs, put lost records back, mark what is lost.") { readAll }.Does(
            async (context, cancellationToken) =>
        {
            // First from the replicas, without opening: what is damaged may be what it is opened with.
            var healing = await RepositoryHealing.RunAsync(context.Site, context.Get(readAll), cancellationToken);
            foreach (var skipped in healing.Skipped) context.Printer.Warn(skipped);
            foreach (var unhealed in healing.Unhealed) context.Printer.Warn(unhealed.Problem);
            var repository = await context.OpenRepositoryAsync(cancellationToken);
            var report = await new RepositoryRepair(repository).RunAsync(context.Get(readAll), context.Parallelism, cancellationToken);
            context.Audit.Items.AddRange(report.PutBack.Select(p => new AuditItem(p, "put back")));
            context.Audit.Items.AddRange(report.LostRecords.Select(p => new AuditItem(p, "lost")));
            context.Audit.Items.AddRange(report.LostPacks.Select(p => new AuditItem("pack", "lost", p)));
            foreach (var lost in report.LostPacks) context.Printer.Warn(lost);
            foreach (var lost in report.LostRecords) context.Printer.Warn($"{lost} is lost, and so is its copy; from now on it counts as removed.");
            context.Printer.Result(() => ToJson(report, healing), output =>
            {
                foreach (var healed in healing.Healed) output.WriteLine($"{healed.Name} in {healed.Store} was healed from {healed.From}: {healed.Problem}.");
                output.WriteLine($"The index was built anew from {report.Packs:N0} packs.");
                foreach (var name in report.PutBack) output.WriteLine($"{name} was put back from its copy.");
                if (report.Damage is null && report.LostRecords.Count == 0 && healing.Unhealed.Count == 0) output.WriteLine("Nothing is lost.");
                foreach (var damaged in report.Damage?.Snapshots ?? [])
                {
                    output.WriteLine(damaged.LostFiles < 0
                        ? $"{damaged.Id} is lost: its catalog cannot be read."
                        : $"{damaged.Id} has lost {damaged.LostFiles:N0} files, such as {string.Join(", ", damaged.Examples)}.");
                }
            });
            if (report.Damage is null)
                return report.LostRecords.Count > 0 || healing.Unhealed.Count > 0 ? ExitCode.Damage
                    : healing.Skipped.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
            context.Printer.Note(
                "The next backup stores again what the source still has; then run 'fbackup repository repair' once more. Other files of the damaged recovery points restore as before.");
            return ExitCode.Damage;
        });
    }

    private static JsonObject ToJson(RepairReport report, HealingOutcome healing) => new()
    {
        ["healed"] = new JsonArray([.. healing.Healed.Select(h => new JsonObject
        {
            ["object"] = h.Name, ["in"] = h.Store, ["problem"] = h.Problem, ["from"] = h.From,
        })]),
        ["unhealed"] = new JsonArray([.. healing.Unhealed.Select(h => new JsonObject
        {
            ["object"] = h.Name, ["in"] = h.Store, ["problem"] = h.Problem,
        })]),
        ["packs"] = report.Packs,
        ["put_back"] = new JsonArray([.. report.PutBack.Select(p => JsonValue.Create(p))]),
        ["lost_records"] = new JsonArray([.. report.LostRecords.Select(p => JsonValue.Create(p))]),
        ["lost_packs"] = new JsonArray([.. report.LostPacks.Select(p => JsonValue.Create(p))]),
        ["damaged_recovery_points"] = new JsonArray([.. (report.Damage?.Snapshots ?? []).Select(s => new JsonObject
        {
            ["id"] = s.Id,
            ["lost_files"] = s.LostFiles < 0 ? null : s.LostFiles,
            ["catalog_lost"] = s.LostFiles < 0,
            ["examples"] = new JsonArray([.. s.Examples.Select(e => JsonValue.Create(e))]),
        })]),
    };
}
