using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Verifying;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>backup verify</c>: checks that what was written is there and is what was written, and says which recovery points a defect touches.
/// Level <c>restore</c> restores for real, and starts a database server on the copy. Exit code 5: damage was found.
/// </summary>
internal static class BackupVerifyCommand
{
    public static Command Create()
    {
        var id = new Argument<string>(
            "ID") { Description = "A recovery point's id, latest (of each component), or all.", DefaultValueFactory = _ => "all" };
        var type = ComponentNames.Option("Only recovery points of this component.");
        var level = new Option<string>("--level")
        {
            Description = "quick: existence and sizes; sample:N: N % of the packs by content; full: all of them; restore: restore it and try it.",
            HelpName = "quick|sample:N|full|restore",
            DefaultValueFactory = _ => "sample:10",
        };
        return new Command("verify", "Check that recovery points are whole.") { id, type, level, WorkOptions.OnInterrupt }.Does(async (context, cancellationToken) =>
        {
            var component = ComponentNames.Check(context.Get(type));
            var chosen = context.Get(level)!;
            VerificationLevels.Parse(chosen);
            context.Audit.Target = context.Get(id);
            context.Audit.Note("level", chosen);
            var some = context.Get(id) != "all" || component is not null;
            IReadOnlyList<string> ids = [];
            if (some || chosen == "restore")
            {
                var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
                ids = [.. (await RecoveryPoints.SelectAsync(repository, context.Get(id), component, cancellationToken)).Select(p => p.Id)];
            }

            await using var host = await WorkHost.StartAsync(context, cancellationToken);
            if (chosen == "restore") return await RestoreVerification.RunAsync(context, host, ids, cancellationToken);
            var request = new VerificationRequest { Level = chosen, SnapshotIds = ids, RequestedBy = "cli" };
            var start = await new VerificationStarter(context.Site).StartAsync(host.Client, request, cancellationToken);
            context.Audit.Instance = start.InstanceId;
            var result = await WorkRun.FollowAsync<VerificationResult>(context, host, start.InstanceId, "verify", cancellationToken);
            foreach (var problem in result.Defects.Where(IsWal)) context.Printer.Warn(problem.Problem);
            foreach (var note in result.Notes) context.Printer.Note(note);
            if (result.Failure is { } failure) context.Printer.Error(failure.Sentence);
            context.Printer.LongResult(() => ToJson(result), output => Write(result, output));
            return result.ExitCode;
        });
    }

    private static bool IsWal(VerificationDefect defect) => defect.ObjectName == "wal";

    private static void Write(VerificationResult result, TextWriter output)
    {
        foreach (var defect in result.Defects.Where(d => !IsWal(d)))
        {
            output.WriteLine($"DEFECT {defect.ObjectName}: {defect.Problem}");
            if (defect.Snapshots.Count > 0) output.WriteLine($"  touches {string.Join(", ", defect.Snapshots)}");
            output.WriteLine($"  mend: {defect.Mend}");
        }

        if (result.DefectCount > result.Defects.Count) output.WriteLine($"…and {result.DefectCount - result.Defects.Count} defects more.");
        if (result.Failure is not null) return;
        output.WriteLine(
            $"{Human.Count(result.Snapshots, "recovery point", "recovery points")} and {Human.Count(result.Packs, "pack", "packs")} checked, "
            + $"{result.PacksRead:N0} of them by content ({Human.Bytes(result.BytesRead)}), in {Human.Time(result.FinishedAt - result.StartedAt)}: "
            + (result.DefectCount == 0 ? "all is well." : $"{Human.Count(result.DefectCount, "defect", "defects")}."));
    }

    private static JsonObject ToJson(VerificationResult result) => new()
    {
        ["level"] = result.Level.Split(':')[0],
        ["started_at"] = Human.Iso(result.StartedAt),
        ["finished_at"] = Human.Iso(result.FinishedAt),
        ["recovery_points"] = result.Snapshots,
        ["packs"] = result.Packs,
        ["packs_read"] = result.PacksRead,
        ["bytes_read"] = result.BytesRead,
        ["unreferenced_packs"] = result.UnreferencedPacks,
        ["defect_count"] = result.DefectCount,
        ["defects"] = new JsonArray([.. result.Defects.Where(d => !IsWal(d)).Select(d => new JsonObject
        {
            ["object"] = d.ObjectName,
            ["problem"] = d.Problem,
            ["recovery_points"] = new JsonArray([.. d.Snapshots.Select(s => JsonValue.Create(s))]),
            ["mend"] = d.Mend,
        })]),
        ["notes"] = new JsonArray([.. result.Notes.Select(n => JsonValue.Create(n))]),
        ["wal"] = new JsonArray([.. result.Defects.Where(IsWal).Select(d => new JsonObject
        {
            ["recovery_point"] = d.Snapshots.Count > 0 ? d.Snapshots[0] : null, ["problem"] = d.Problem, ["breaks_recovery_point"] = d.BreaksSnapshot,
        })]),
        ["error"] = result.Failure?.Sentence,
    };
}
