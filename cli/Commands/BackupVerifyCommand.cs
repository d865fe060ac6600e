using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Verifying;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Repository.Verification;

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
        return new Command("verify", "Check that recovery points are whole.") { id, type, level }.Does(async (context, cancellationToken) =>
        {
            var component = ComponentNames.Check(context.Get(type));
            var options = context.Get(level) == "restore" ? null : Options(context.Get(level)!, context.Parallelism);
            var repository = await context.OpenRepositoryAsync(cancellationToken);
            var points = await RecoveryPoints.SelectAsync(repository, context.Get(id), component, cancellationToken);
            if (options is null) return await RestoreVerification.RunAsync(context, repository, points, cancellationToken);
            if (context.Get(id) != "all" || component is not null) options = options with { SnapshotIds = [.. points.Select(p => p.Id)] };

            var progress = new Progress(context.Printer.Progress("verify"));
            var report = await new RepositoryVerifier(repository).RunAsync(options, progress, cancellationToken);
            var wal = await WalVerifier.RunAsync(repository, points, options.Level == VerificationLevel.Full, cancellationToken);
            context.Printer.EndProgress();
            foreach (var problem in wal) context.Printer.Warn(problem.Sentence);
            foreach (var note in report.Notes) context.Printer.Note(note);
            context.Printer.LongResult(() => ToJson(report, wal), output => Write(report, wal, output));
            if (report.Defects.Count > 0 || wal.Any(p => p.BreaksBackup)) return ExitCode.Damage;
            return wal.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
        });
    }

    private static VerificationOptions Options(string level, int parallelism)
    {
        if (level == "quick") return new VerificationOptions(VerificationLevel.Quick) { Parallelism = parallelism };
        if (level == "full") return new VerificationOptions(VerificationLevel.Full) { Parallelism = parallelism };
        if (level.StartsWith("sample:", StringComparison.Ordinal)
            && double.TryParse(level[7..].TrimEnd('%'), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
                && percent is > 0 and <= 100)
            return new VerificationOptions(VerificationLevel.Sample) { SamplePercent = percent, Parallelism = parallelism };
        throw new UsageException("--level must be quick, sample:N with N percent from above 0 to 100, full or restore.");
    }

    private static void Write(VerificationReport report, IReadOnlyList<WalFinding> wal, TextWriter output)
    {
        foreach (var defect in report.Defects)
        {
            output.WriteLine($"DEFECT {defect.ObjectName}: {defect.Problem}");
            if (defect.Snapshots.Count > 0) output.WriteLine($"  touches {string.Join(", ", defect.Snapshots)}");
            output.WriteLine($"  mend: {defect.Mend}");
        }

        output.WriteLine(
            $"{Human.Count(report.Snapshots, "recovery point", "recovery points")} and {Human.Count(report.Packs, "pack", "packs")} checked, "
            + $"{report.PacksRead:N0} of them by content ({Human.Bytes(report.BytesRead)}), in {Human.Time(report.FinishedAt - report.StartedAt)}: "
            + (report.Defects.Count == 0 && wal.Count == 0 ? "all is well."
                : $"{Human.Count(report.Defects.Count + wal.Count, "defect", "defects")}."));
    }

    private static JsonObject ToJson(VerificationReport report, IReadOnlyList<WalFinding> wal) => new()
    {
        ["level"] = report.Level.ToString().ToLowerInvariant(),
        ["started_at"] = Human.Iso(report.StartedAt),
        ["finished_at"] = Human.Iso(report.FinishedAt),
        ["recovery_points"] = report.Snapshots,
        ["packs"] = report.Packs,
        ["packs_read"] = report.PacksRead,
        ["bytes_read"] = report.BytesRead,
        ["unreferenced_packs"] = report.UnreferencedPacks,
        ["defects"] = new JsonArray([.. report.Defects.Select(d => new JsonObject
        {
            ["object"] = d.ObjectName,
            ["problem"] = d.Problem,
            ["recovery_points"] = new JsonArray([.. d.Snapshots.Select(s => JsonValue.Create(s))]),
            ["mend"] = d.Mend,
        })]),
        ["notes"] = new JsonArray([.. report.Notes.Select(n => JsonValue.Create(n))]),
        ["wal"] = new JsonArray([.. wal.Select(w => new JsonObject
        {
            ["recovery_point"] = w.SnapshotId, ["problem"] = w.Sentence, ["breaks_recovery_point"] = w.BreaksBackup,
        })]),
    };

    /// <summary>Packs, shown as if they were files.</summary>
    private sealed class Progress(IProgress<Components.WorkProgress>? inner) : IProgress<(int Done, int Total)>
    {
        public void Report((int Done, int Total) value) =>
            inner?.Report(new Components.WorkProgress(value.Done, value.Total, 0, 0, "packs"));
    }
}
