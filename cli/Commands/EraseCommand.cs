using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Erasure;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>erase</c>: makes what is kept of a data subject unreadable in all recovery points and replicas. Exit code 3 while something is left to do.
/// </summary>
internal static class EraseCommand
{
    public static Command Create()
    {
        var subject = new Option<string>("--subject")
        {
            Description = "The data subject's name, as it stands in the paths of its files.", HelpName = "NAME", Required = true,
        };
        var reference = new Option<string?>("--reference")
        {
            Description = "What the request is called elsewhere; kept for ever, so never the name.", HelpName = "TEXT",
        };
        var yes = new Option<bool>("--yes") { Description = "Do not ask: what is erased cannot be had back." };
        var dry = new Option<bool>("--dry-run") { Description = "Only say what would be erased." };
        return new Command("erase", "Make all that is kept of a data subject unreadable, in all recovery points and replicas.")
        {
            subject, reference, yes, dry,
        }.Does(async (context, cancellationToken) =>
        {
            var name = context.Get(subject)!;
            if (context.Get(reference)?.Contains(name, StringComparison.OrdinalIgnoreCase) == true)
                throw new UsageException("--reference is kept for ever and must not hold the subject's name; give the number of the request.");
            if (!context.Get(dry) && !context.Get(yes) && !context.Printer.Ask(
                $"What is kept of '{name}' cannot be read by anybody afterwards, in no recovery point. Type 'yes' to erase it:"))
                throw new UsageException("Nothing was erased: add --yes where nobody is at a terminal, or --dry-run to see what it would be.");
            var request = new ErasureRequest(name, Environment.UserName, context.Get(reference), context.Get(dry));
            var report = await ErasureRun.RunAsync(context.Site, request, cancellationToken);
            Note(context, report, request);
            foreach (var sentence in Problems(report, request)) context.Printer.Warn(sentence);
            context.Printer.Result(() => ToJson(report, request), output => Write(output, report, request));
            return report.IsComplete ? ExitCode.Done : ExitCode.Warnings;
        });
    }

    /// <summary>The certificate in the audit log: everything but the name.</summary>
    private static void Note(CommandContext context, ErasureReport report, ErasureRequest request)
    {
        context.Audit.Target = report.Pseudonym;
        context.Audit.Note("reference", request.Reference ?? "");
        context.Audit.Note("dry_run", request.DryRun ? "true" : "false");
        context.Audit.Note("recovery_points", Number(report.Holdings.Count(h => h.Files > 0)));
        context.Audit.Note("files", Number(report.Files));
        context.Audit.Note("not_reached", Number(report.Open.Count()));
        context.Audit.Note("complete", report.IsComplete ? "true" : "false");
        context.Audit.Items.AddRange(report.Stores.SelectMany(s => s.Destroyed.Select(k => new AuditItem(k, "destroyed", s.Store))));
        context.Audit.Items.AddRange(report.Stores.SelectMany(s => s.Remains).Select(r => new AuditItem("key", "remains", r)));
        context.Audit.Items.AddRange(report.Pending.Select(p => new AuditItem("replica", "pending", p)));
        context.Audit.Items.AddRange(report.Open.Select(o => new AuditItem(o.SnapshotId, "not reached", $"{o.Open} files are not under the subject's key.")));
    }

    private static IEnumerable<string> Problems(ErasureReport report, ErasureRequest request)
    {
        foreach (var remains in report.Stores.SelectMany(s => s.Remains)) yield return remains;
        foreach (var pending in report.Pending) yield return pending;
        foreach (var unread in report.Unread) yield return $"It is not known what this recovery point holds of the subject: {unread}";
        foreach (var open in report.Open)
            yield return $"{open.SnapshotId} has {Human.Count(open.Open, "file", "files")} of the subject that {(open.Open == 1 ? "is" : "are")} under no key of "
                + "the subject's (taken before 'subjects' was configured); erasing does not reach them: remove the recovery point when others do.";
        if (report.Keys.Count == 0 && report.Holdings.Count == 0)
            yield return $"Nothing is kept of '{request.Subject}': no key was ever made for that name; is it spelt as in the paths?";
    }

    private static void Write(TextWriter output, ErasureReport report, ErasureRequest request)
    {
        output.WriteLine($"subject         {report.Pseudonym} (what stands for the name in the repository and in the audit log)");
        if (request.Reference is { } reference) output.WriteLine($"reference       {reference}");
        output.WriteLine($"recovery points {report.Holdings.Count(h => h.Files > 0)}, {Human.Count(report.Files, "file", "files")} in them");
        if (request.DryRun)
        {
            output.WriteLine($"would destroy   {Human.Count(report.Keys.Count, "key", "keys")}; nothing was changed");
            return;
        }

        foreach (var store in report.Stores)
            output.WriteLine($"destroyed       {(store.Destroyed.Count == 0 ? "no key was left" : Human.Count(store.Destroyed.Count, "key", "keys"))} in {store.Store}");
        output.WriteLine($"erased at       {Human.Moment(report.At)}");
        output.WriteLine("What remains in the recovery points: paths, sizes and times of the files. Delete them at the source, too.");
    }

    private static JsonObject ToJson(ErasureReport report, ErasureRequest request) => new()
    {
        ["subject"] = report.Pseudonym,
        ["reference"] = request.Reference,
        ["dry_run"] = request.DryRun,
        ["at"] = Human.Iso(report.At),
        ["complete"] = report.IsComplete,
        ["files"] = report.Files,
        ["keys"] = new JsonArray([.. report.Keys.Select(k => JsonValue.Create(k))]),
        ["recovery_points"] = new JsonArray([.. report.Holdings.Select(h => new JsonObject
        {
            ["id"] = h.SnapshotId, ["files"] = h.Files, ["bytes"] = h.Bytes, ["files_not_reached"] = h.Open,
        })]),
        ["stores"] = new JsonArray([.. report.Stores.Select(s => new JsonObject
        {
            ["store"] = s.Store,
            ["destroyed"] = new JsonArray([.. s.Destroyed.Select(d => JsonValue.Create(d))]),
            ["remains"] = new JsonArray([.. s.Remains.Select(r => JsonValue.Create(r))]),
        })]),
        ["pending"] = new JsonArray([.. report.Pending.Select(p => JsonValue.Create(p))]),
        ["unread"] = new JsonArray([.. report.Unread.Select(u => JsonValue.Create(u))]),
    };

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
