using System.CommandLine;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Auditing;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Cli.Commands;

/// <summary>
/// <c>audit export</c>: the log for auditors, with the result of its verification: JSON lines, or one HTML file that prints well. Exit code
/// 5 when a link is broken; the export is made all the same and says so.
/// </summary>
internal static class AuditExportCommand
{
    public static Command Create()
    {
        var format = new Option<string>("--format")
        {
            Description = "jsonl: a line of JSON each; html: a report.", HelpName = "jsonl|html", DefaultValueFactory = _ => "jsonl",
        };
        format.AcceptOnlyFromAmong("jsonl", "html");
        var file = new Option<string?>("--output") { Description = "Write to this new file instead of stdout.", HelpName = "FILE" };
        return new Command("export", "Export the audit log, verified, with the controls that it is evidence for.")
        {
            format, AuditOptions.From, AuditOptions.To, file,
        }.Does(async (context, cancellationToken) =>
        {
            var filter = AuditOptions.Range(context);
            var html = context.Get(format) == "html";
            context.Audit.Note("format", context.Get(format));
            context.Audit.Note("from", filter.From is { } from ? Human.Iso(from) : null);
            context.Audit.Note("to", filter.To is { } to ? Human.Iso(to) : null);
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var report = await AuditCheck.RunAsync(context, repository, [], null, cancellationToken);
            var entries = 0L;
            await using (var output = Open(context.Get(file)))
            {
                var reader = new AuditReader(repository);
                entries = html
                    ? await WriteHtmlAsync(context, repository, report, reader, filter, output, cancellationToken)
                    : await WriteLinesAsync(report, reader, filter, output, repository.Id, cancellationToken);
            }

            context.Audit.Note("entries", $"{entries}");
            if (context.Get(file) is { } written)
                context.Printer.Result(
                    () => new JsonObject { ["file"] = written, ["entries"] = entries, ["intact"] = report.BreakCount == 0 },
                    output => output.WriteLine($"{Human.Count(entries, "entry", "entries")} to {written}. {AuditCheck.Verdict(report)}"));
            foreach (var found in report.Breaks) context.Printer.Warn(found.Problem);
            return report.BreakCount > 0 ? ExitCode.Damage : ExitCode.Done;
        });
    }

    private static StreamWriter Open(string? file)
    {
        if (file is null) return new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(false), 64 << 10);
        try
        {
            return new StreamWriter(new FileStream(file, FileMode.CreateNew, FileAccess.Write), new UTF8Encoding(false), 64 << 10);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException($"The export cannot be written to {file}: {e.Message} Name a new file in a folder that is there.");
        }
    }

    /// <summary>Entries in order of time, and a last line with the verification.</summary>
    private static async Task<long> WriteLinesAsync(
        AuditReport report, AuditReader reader, AuditFilter filter, TextWriter output, string repository, CancellationToken cancellationToken)
    {
        var entries = 0L;
        await foreach (var record in reader.ReadAsync(filter, cancellationToken))
        {
            await output.WriteLineAsync(AuditLines.WithControls(record).ToJsonString());
            entries++;
        }

        var last = new JsonObject
        {
            ["verification"] = new JsonObject
            {
                ["repository"] = repository,
                ["intact"] = report.BreakCount == 0,
                ["broken"] = new JsonArray([.. report.Breaks.Select(b => JsonValue.Create(b.Problem))]),
                ["heads"] = new JsonArray([.. report.Heads.Select(h => new JsonObject
                {
                    ["writer"] = h.Writer, ["sequence"] = h.Sequence, ["head"] = h.Hash,
                })]),
                ["note"] = "Controls say what an entry is evidence for; this is no certification.",
            },
        };
        await output.WriteLineAsync(last.ToJsonString());
        return entries;
    }

    private static async Task<long> WriteHtmlAsync(
        CommandContext context, BackupRepository repository, AuditReport report, AuditReader reader, AuditFilter filter, TextWriter output,
        CancellationToken cancellationToken)
    {
        var html = new AuditHtmlReport(output);
        await html.BeginAsync(new AuditReportFacts
        {
            Repository = repository.Id,
            MadeAt = context.Time.GetUtcNow(),
            MadeBy = $"{AuditActor.OfProcess().Name} on {Environment.MachineName}, {BackupRepository.ProductVersion}",
            From = filter.From,
            To = filter.To,
            Intact = report.BreakCount == 0,
            Verdict = AuditCheck.Verdict(report),
            Notes = [.. report.Breaks.Select(b => b.Problem), .. report.Notes],
            Chains = [.. report.Chains.Select(c => new AuditReportChain(
                c.Writer, c.Host, c.Segments, c.Entries, c.Head is { } head ? $"{head.Sequence} {head.Hash}" : null))],
        });
        var entries = 0L;
        await foreach (var record in reader.ReadAsync(filter, cancellationToken))
        {
            await html.AddAsync(record);
            entries++;
        }

        await html.EndAsync();
        return entries;
    }
}
