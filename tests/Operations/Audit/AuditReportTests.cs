using System.Reflection;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Tests.Operations.Audit;

public sealed partial class AuditReportTests
{
    private const string Hostile = "\"'><script>alert(1)</script>&<img src=x onerror=alert(1)>`${x}";

    [Fact]
    public async Task No_text_of_an_entry_becomes_markup()
    {
        var html = await MakeAsync(new AuditEntry
        {
            Id = Hostile, Action = Hostile, Outcome = AuditOutcome.Failed, Actor = new AuditActor(AuditActorKind.User, Hostile, Hostile), Host = Hostile,
            RemoteAddress = Hostile, Target = Hostile, Instance = Hostile + "2", Error = Hostile,
            Facts = new Dictionary<string, string> { [Hostile] = Hostile }, Items = [new AuditItem(Hostile, Hostile, Hostile)],
        });
        html.ShouldNotContain("<script");
        html.ShouldNotContain("<img");
        html.ShouldContain("&lt;script&gt;");
        // Well-formed, so that nothing of it was left open either.
        var page = XDocument.Parse(html.Replace("<!DOCTYPE html>", "").Replace("<meta charset=\"utf-8\">", "")
            .Replace("initial-scale=1\">", "initial-scale=1\"/>").Replace("'unsafe-inline'\">", "'unsafe-inline'\"/>").Replace("<br>", "<br/>"));
        page.Descendants().Select(e => e.Name.LocalName).ShouldNotContain("script");
        page.Descendants().SelectMany(e => e.Attributes()).Select(a => a.Name.LocalName).Distinct().Order()
            .ShouldBe(["aria-labelledby", "class", "content", "datetime", "http-equiv", "id", "lang", "name", "scope"]);
    }

    [Fact]
    public async Task It_stands_alone_and_prints()
    {
        var html = await MakeAsync(new AuditEntry { Action = AuditActions.BackupRun, Outcome = AuditOutcome.Done }, "plain");
        Reference().Matches(html).ShouldBeEmpty();
        html.ShouldContain("@media print");
        html.ShouldContain("<html lang=\"en\">");
        html.ShouldContain("It is no certification");
        foreach (var control in AuditControls.All) html.ShouldContain(control.Id);
    }

    [Fact]
    public void Every_action_supports_something_and_every_control_names_kinds_that_there_are()
    {
        var actions = typeof(AuditActions).GetFields(BindingFlags.Public | BindingFlags.Static).Select(f => (string)f.GetRawConstantValue()!).ToList();
        foreach (var action in actions)
        {
            action.ShouldMatch("^[a-z_]+\\.[a-z_]+$");
            AuditControls.Of(new AuditEntry { Action = action, Outcome = AuditOutcome.Done }).Count().ShouldBeGreaterThan(2, action);
        }

        foreach (var kind in AuditControls.All.SelectMany(c => c.Kinds).Where(k => k != "*"))
            actions.ShouldContain(a => a == kind || a.StartsWith(kind + "."), kind);
        AuditControls.All.Select(c => c.Framework).Distinct().ShouldBe(AuditControls.Frameworks.Select(f => f.Name), ignoreOrder: true);
        AuditControls.All.Select(c => (c.Framework, c.Id)).Distinct().Count().ShouldBe(AuditControls.All.Count);
    }

    [Fact]
    public void What_the_schedule_did_is_no_act_of_an_administrator()
    {
        var entry = new AuditEntry { Action = AuditActions.BackupRun, Outcome = AuditOutcome.Done, Actor = AuditActor.Schedule };
        AuditControls.Of(entry).Select(c => c.Id).ShouldNotContain("10.2.1.2");
        AuditControls.Of(entry with { Actor = new AuditActor(AuditActorKind.User, "root") }).Select(c => c.Id).ShouldContain("10.2.1.2");
    }

    private static async Task<string> MakeAsync(AuditEntry entry, string text = Hostile)
    {
        var output = new StringWriter();
        var report = new AuditHtmlReport(output);
        await report.BeginAsync(new AuditReportFacts
        {
            Repository = text, MadeAt = DateTimeOffset.UnixEpoch, MadeBy = text, Intact = false, Verdict = text, Notes = [text],
            Chains = [new AuditReportChain(text, text, 1, 2, text)],
        });
        await report.AddAsync(new AuditRecord(entry, "0123456789abcdef", 1, 1));
        await report.EndAsync();
        return output.ToString();
    }

    [GeneratedRegex("(src|href|url)\\s*[=(]", RegexOptions.IgnoreCase)]
    private static partial Regex Reference();
}
