using System.Globalization;
using System.Net;
using System.Text;

namespace FunctionsBackup.Operations.Audit;

/// <summary>What the report says of the log it was made from.</summary>
public sealed record AuditReportFacts
{
    public required string Repository { get; init; }

    public required DateTimeOffset MadeAt { get; init; }

    public required string MadeBy { get; init; }

    public DateTimeOffset? From { get; init; }

    public DateTimeOffset? To { get; init; }

    /// <summary>Whether every link holds.</summary>
    public required bool Intact { get; init; }

    /// <summary>One sentence: the result, or the first broken link.</summary>
    public required string Verdict { get; init; }

    /// <summary>Further broken links and notes, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>The chains as they are now: host, segments, entries, head.</summary>
    public required IReadOnlyList<AuditReportChain> Chains { get; init; }
}

/// <summary>One writer's chain.</summary>
public sealed record AuditReportChain(string Writer, string? Host, long Segments, long Entries, string? Head);

/// <summary>
/// The log as one HTML file that stands alone and prints well: no script, no request to anywhere, every text escaped. Written as it goes:
/// memory does not grow with the entries.
/// </summary>
public sealed class AuditHtmlReport(TextWriter output)
{
    private readonly Dictionary<AuditControl, long> _counts = AuditControls.All.ToDictionary(c => c, _ => 0L);
    private long _entries;

    public async Task BeginAsync(AuditReportFacts facts)
    {
        await output.WriteAsync($"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <title>Audit log of repository {Text(facts.Repository)}</title>
            <style>
            {AuditReportStyle.Css}
            </style>
            </head>
            <body>
            <header>
            <h1>Audit log</h1>
            <p>Repository <code>{Text(facts.Repository)}</code>, {Text(Range(facts))}. Made {Time(facts.MadeAt)} by {Text(facts.MadeBy)}.</p>
            </header>
            <main>
            <section aria-labelledby="proof">
            <h2 id="proof">Is the log whole?</h2>
            <p class="{(facts.Intact ? "good" : "bad")}"><strong>{(facts.Intact ? "Intact." : "BROKEN.")}</strong> {Text(facts.Verdict)}</p>

            """);
        if (facts.Notes.Count > 0)
        {
            await output.WriteLineAsync("<ul>");
            foreach (var note in facts.Notes) await output.WriteLineAsync($"<li>{Text(note)}</li>");
            await output.WriteLineAsync("</ul>");
        }

        await output.WriteLineAsync(
            "<table><caption>Chains. Keep the heads apart from the repository: with them, nobody can shorten a chain unnoticed.</caption>"
            + "<thead><tr><th scope=\"col\">Host</th><th scope=\"col\">Writer</th><th scope=\"col\" class=\"n\">Segments</th>"
            + "<th scope=\"col\" class=\"n\">Entries</th><th scope=\"col\">Head</th></tr></thead><tbody>");
        foreach (var chain in facts.Chains)
            await output.WriteLineAsync(
                $"<tr><th scope=\"row\">{Text(chain.Host ?? "unknown")}</th><td><code>{Text(chain.Writer)}</code></td>"
                + $"<td class=\"n\">{Number(chain.Segments)}</td><td class=\"n\">{Number(chain.Entries)}</td><td><code>{Text(chain.Head ?? "none")}</code></td></tr>");
        await output.WriteLineAsync(
            "</tbody></table></section>\n<section aria-labelledby=\"entries\"><h2 id=\"entries\">Entries</h2>\n<table><caption>In order of time (UTC). "
            + "The place is writer, segment and line in the log.</caption><thead><tr><th scope=\"col\">Time</th><th scope=\"col\">What</th>"
            + "<th scope=\"col\">Result</th><th scope=\"col\">Who and from where</th><th scope=\"col\">On what</th><th scope=\"col\">More</th>"
            + "<th scope=\"col\">Place</th></tr></thead><tbody>");
    }

    public async Task AddAsync(AuditRecord record)
    {
        var entry = record.Entry;
        _entries++;
        foreach (var control in AuditControls.Of(entry)) _counts[control]++;
        var actor = entry.Actor ?? AuditActor.Anonymous;
        var who = $"{Text(actor.Name)} ({Text(KindOf(actor))})<br>{Text(entry.RemoteAddress ?? entry.Host)}";
        var on = string.Join("<br>", new[] { entry.Target, entry.Instance }.OfType<string>().Distinct().Select(Text));
        await output.WriteLineAsync(
            $"<tr class=\"{Word(entry.Outcome)}\"><td>{Time(entry.At)}</td><td>{Text(entry.Action)}</td>"
            + $"<td>{Word(entry.Outcome)}{(entry.ExitCode is { } code and not 0 ? $" ({code})" : "")}</td>"
            + $"<td>{who}</td><td>{on}</td><td>{More(entry)}</td>"
            + $"<td><code>{Text(record.Writer[..Math.Min(8, record.Writer.Length)])}/{record.Sequence}/{record.Line}</code></td></tr>");
    }

    public async Task EndAsync()
    {
        await output.WriteLineAsync(
            $"</tbody></table>\n<p>{Number(_entries)} entries.</p></section>\n<section aria-labelledby=\"controls\">"
            + "<h2 id=\"controls\">What the entries are evidence for</h2>\n"
            + "<p>Each line names a requirement and the kinds of entries that support it, and counts those of this report. This is evidence that "
            + "something was done and how it ended. It is no certification: whether a requirement is met depends also on people, processes and "
            + "systems that this log knows nothing of, and a count of 0 says only that nothing of the kind was recorded in this time.</p>");
        foreach (var (name, version) in AuditControls.Frameworks)
        {
            await output.WriteLineAsync(
                $"<table><caption>{Text(version)}</caption><thead><tr><th scope=\"col\">Requirement</th><th scope=\"col\">About</th>"
                + "<th scope=\"col\">Kinds of entries</th><th scope=\"col\" class=\"n\">Entries</th></tr></thead><tbody>");
            foreach (var control in AuditControls.All.Where(c => c.Framework == name))
                await output.WriteLineAsync(
                    $"<tr><th scope=\"row\">{Text(control.Id)}</th><td>{Text(control.About)}</td>"
                    + $"<td>{Text(control.Kinds is ["*"] ? "all" : string.Join(", ", control.Kinds))}</td>"
                    + $"<td class=\"n\">{Number(_counts[control])}</td></tr>");
            await output.WriteLineAsync("</tbody></table>");
        }

        await output.WriteLineAsync("</section></main></body></html>");
        await output.FlushAsync();
    }

    private static string More(AuditEntry entry)
    {
        var more = new StringBuilder();
        if (entry.Error is { } error) more.Append(CultureInfo.InvariantCulture, $"<p>{Text(error)}</p>");
        if (entry.Facts.Count > 0)
        {
            more.Append("<dl>");
            foreach (var (name, value) in entry.Facts) more.Append(CultureInfo.InvariantCulture, $"<dt>{Text(name)}</dt><dd>{Text(value)}</dd>");
            more.Append("</dl>");
        }

        if (entry.Items.Count == 0) return more.ToString();
        more.Append("<ul>");
        foreach (var item in entry.Items)
        {
            var detail = item.Detail is { } text ? $" ({Text(text)})" : "";
            more.Append(CultureInfo.InvariantCulture, $"<li>{Text(item.Name)}: {Text(item.Outcome)}{detail}</li>");
        }

        return more.Append("</ul>").ToString();
    }

    private static string KindOf(AuditActor actor)
    {
        var kind = actor.Kind switch
        {
            AuditActorKind.User => "user of the machine",
            AuditActorKind.ApiKey => "API key",
            AuditActorKind.EntraId => "Entra ID",
            AuditActorKind.FunctionKey => "function key",
            AuditActorKind.Request => "see the request",
            AuditActorKind.System => "the program",
            var other => other.ToString().ToLowerInvariant(),
        };
        return actor.Role is { } role ? $"{kind}, {role}" : kind;
    }

    private static string Range(AuditReportFacts facts) => (facts.From, facts.To) switch
    {
        (null, null) => "all entries",
        ({ } from, null) => $"entries since {Iso(from)}",
        (null, { } to) => $"entries before {Iso(to)}",
        ({ } from, { } to) => $"entries from {Iso(from)} to {Iso(to)}",
    };

    private static string Word(AuditOutcome outcome) => outcome.ToString().ToLowerInvariant();

    private static string Time(DateTimeOffset at) => $"<time datetime=\"{at.UtcDateTime:O}\">{Iso(at)}</time>";

    private static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>Nothing of an entry is markup.</summary>
    private static string Text(string text) => WebUtility.HtmlEncode(text).Replace("`", "&#96;", StringComparison.Ordinal);
}
