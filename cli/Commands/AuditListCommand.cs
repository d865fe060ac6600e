using System.CommandLine;
using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running;
using FunctionsBackup.Cli.Running.Auditing;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Orchestrations.Site;

namespace FunctionsBackup.Cli.Commands;

/// <summary><c>audit list</c>: who did what, the newest last.</summary>
internal static class AuditListCommand
{
    public static Command Create()
    {
        var action = new Option<string?>("--action")
        {
            Description = "An action, or its kind: backup, restore.run, access.", HelpName = "ACTION",
        };
        var outcome = new Option<string?>("--outcome")
        {
            Description = "Only these.", HelpName = "started|accepted|done|warnings|failed|cancelled|refused|denied",
        };
        outcome.AcceptOnlyFromAmong([.. Enum.GetNames<AuditOutcome>().Select(n => n.ToLowerInvariant())]);
        var actor = new Option<string?>("--actor") { Description = "Only of those whose name contains this.", HelpName = "NAME" };
        var subject = new Option<string?>("--subject")
        {
            Description = "Only on what contains this: a recovery point, an instance, a key.", HelpName = "TEXT",
        };
        var limit = new Option<int>("--limit") { Description = "At most so many, the newest.", DefaultValueFactory = _ => 100 };
        limit.Validators.Add(r =>
        {
            if (r.GetValueOrDefault<int>() is < 1 or > 100_000) r.AddError("--limit is 1 to 100000.");
        });
        return new Command("list", "Who did what, the newest last.")
        {
            AuditOptions.From, AuditOptions.To, action, outcome, actor, subject, limit,
        }.Does(async (context, cancellationToken) =>
        {
            var filter = AuditOptions.Range(context) with
            {
                Action = context.Get(action), Actor = context.Get(actor), Subject = context.Get(subject),
                Outcome = context.Get(outcome) is { } word ? Enum.Parse<AuditOutcome>(word, ignoreCase: true) : null,
            };
            var repository = await context.OpenRepositoryAsync(cancellationToken, index: false);
            var reader = new AuditReader(repository);
            var shown = new Queue<AuditRecord>();
            await foreach (var record in reader.ReadAsync(filter, cancellationToken))
            {
                if (shown.Count == context.Get(limit)) shown.Dequeue();
                shown.Enqueue(record);
            }

            context.Printer.Result(
                () => new JsonObject { ["entries"] = new JsonArray([.. shown.Select(AuditLines.ToJson)]) },
                output => Write(shown, output, context.Printer.IsTerminal));
            foreach (var problem in reader.Problems) context.Printer.Warn(problem);
            return reader.Problems.Count > 0 ? ExitCode.Warnings : ExitCode.Done;
        });
    }

    private static void Write(IEnumerable<AuditRecord> shown, TextWriter output, bool terminal)
    {
        var table = new Table("time", "action", "outcome", "who", "from", "on what", "instance", "error");
        foreach (var entry in shown.Select(r => r.Entry))
            table.Add(
                Human.Moment(entry.At), entry.Action, entry.Outcome.ToString().ToLowerInvariant(), entry.Actor?.Name ?? "",
                entry.RemoteAddress ?? entry.Host, entry.Target ?? "", entry.Instance ?? "", entry.Error ?? "");
        table.Write(output, terminal);
    }
}
