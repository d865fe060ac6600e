using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Auditing;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>audit verify</c>: proves that nothing of the audit log was removed or changed, and names the first broken link. Exit code 5 when there
/// is one, 3 when entries wait on this machine or something is worth a look.
/// </summary>
internal static class AuditVerifyCommand
{
    public static Command Create()
    {
        var heads = new Option<string?>("--heads")
        {
            Description = "Heads that were kept elsewhere: the output of an earlier 'audit verify --json'. What is newer may not be missing.",
            HelpName = "FILE",
        };
        return new Command("verify", "Prove that nothing was removed from the audit log or changed.") { heads }.Does(
            async (context, cancellationToken) =>
        {
            var kept = context.Get(heads) is { } file ? KeptHeads.Read(file) : [];
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var waiting = await context.Site.Audit.CountWaitingAsync(cancellationToken);
            var report = await AuditCheck.RunAsync(context, repository, kept, null, cancellationToken);
            foreach (var note in report.Notes) context.Printer.Warn(note);
            if (waiting > 0)
                context.Printer.Warn(
                    $"{Human.Count(waiting, "entry waits", "entries wait")} in {context.Site.Audit.SpoolFolder} for the repository.");
            context.Audit.Note("segments", $"{report.Segments}");
            context.Audit.Note("broken_links", $"{report.BreakCount}");
            if (report.BreakCount > 0) context.Audit.Target = report.Breaks[0].ObjectName;
            context.Printer.Result(() => ToJson(report, waiting), output => Write(report, output, context.Printer.IsTerminal));
            return report.BreakCount > 0 ? ExitCode.Damage : report.Notes.Count + waiting > 0 ? ExitCode.Warnings : ExitCode.Done;
        });
    }

    private static void Write(AuditReport report, TextWriter output, bool terminal)
    {
        if (report.Chains.Count > 0)
        {
            var table = new Table("host", "writer", "segments", "entries", "from", "to", "head");
            foreach (var c in report.Chains)
                table.Add(
                    c.Host ?? "", c.Writer, $"{c.Segments:N0}", $"{c.Entries:N0}", Moment(c.FirstAt), Moment(c.LastAt),
                    c.Head is { } head ? $"{head.Sequence} {head.Hash[..16]}" : "");
            table.Write(output, terminal);
        }

        foreach (var found in report.Breaks) output.WriteLine($"BROKEN {found.ObjectName}: {found.Problem}");
        if (report.BreakCount > report.Breaks.Count) output.WriteLine($"…and {report.BreakCount - report.Breaks.Count} more.");
        output.WriteLine(AuditCheck.Verdict(report));
    }

    private static string Moment(DateTimeOffset? at) => at is { } moment ? Human.Moment(moment) : "";

    private static JsonObject ToJson(AuditReport report, int waiting) => new()
    {
        ["intact"] = report.BreakCount == 0,
        ["segments"] = report.Segments,
        ["entries"] = report.Entries,
        ["waiting"] = waiting,
        ["broken"] = new JsonArray([.. report.Breaks.Select(b => new JsonObject { ["object"] = b.ObjectName, ["problem"] = b.Problem })]),
        ["broken_count"] = report.BreakCount,
        ["notes"] = new JsonArray([.. report.Notes.Select(n => JsonValue.Create(n))]),
        ["chains"] = new JsonArray([.. report.Chains.Select(c => new JsonObject
        {
            ["writer"] = c.Writer,
            ["host"] = c.Host,
            ["segments"] = c.Segments,
            ["entries"] = c.Entries,
            ["first_at"] = c.FirstAt is { } first ? Human.Iso(first) : null,
            ["last_at"] = c.LastAt is { } last ? Human.Iso(last) : null,
            ["sequence"] = c.Head?.Sequence,
            ["head"] = c.Head?.Hash,
        })]),
    };

    /// <summary>Heads in the output of an earlier verification.</summary>
    private static class KeptHeads
    {
        private const int MaximumSize = 16 << 20;

        public static List<KnownHead> Read(string file)
        {
            try
            {
                if (new FileInfo(file).Length > MaximumSize) throw Unfit(file);
                var chains = JsonNode.Parse(File.ReadAllText(file))?["chains"]?.AsArray() ?? throw Unfit(file);
                var heads = chains.Where(c => c?["head"] is not null)
                    .Select(c => new AuditHead((string)c!["writer"]!, (long)c["sequence"]!, (string)c["head"]!)).ToList();
                return heads.TrueForAll(h => h.IsValid) ? heads.ConvertAll(h => new KnownHead(h, file)) : throw Unfit(file);
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or ArgumentNullException)
            {
                throw Unfit(file);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new UsageException($"The heads in {file} cannot be read: {e.Message}");
            }
        }

        private static UsageException Unfit(string file) => new($"{file} is not the output of 'audit verify --json'.");
    }
}
