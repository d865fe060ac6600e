using System.Text;
using FunctionsBackup.Operations.Audit;

namespace FunctionsBackup.Tests.Operations.Audit;

public sealed class AuditEntryTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 26, 1, 20, 0, TimeSpan.Zero);

    [Fact]
    public void An_entry_is_completed_and_comes_back_as_it_was_written()
    {
        var entry = Complete(new AuditEntry
        {
            Action = AuditActions.Restore, Outcome = AuditOutcome.Done, Target = "20261126T012000Z-logs-5ca60a03", Instance = "restore-1", ExitCode = 0,
            Facts = new Dictionary<string, string> { ["target"] = "/tmp/Ä <b>" }, Items = [new AuditItem("logs", "complete", "x")],
        });
        entry.Id.ShouldStartWith("20261126T012000.0000000Z-");
        (entry.At, entry.Host, entry.Actor).ShouldBe((Now, "host", new AuditActor(AuditActorKind.User, "somebody")));
        var line = AuditJson.Write(entry);
        var text = Encoding.UTF8.GetString(line);
        text.ShouldNotContain("\n");
        text.ShouldContain("\"exit_code\":0");
        text.ShouldContain("\"kind\":\"user\"");
        var back = AuditJson.Read(line).ShouldNotBeNull();
        AuditJson.Write(back).ShouldBe(line);
    }

    [Fact]
    public void Texts_are_cut_and_hold_no_control_characters()
    {
        var entry = Complete(new AuditEntry
        {
            Action = "x", Outcome = AuditOutcome.Failed, Target = new string('a', 10_000), Error = "one\u001b[2J\ntwo\u2028\ud800",
            Facts = Enumerable.Range(0, 100).ToDictionary(i => $"f{i}", _ => new string('ä', 5000)),
        });
        entry.Target!.Length.ShouldBe(AuditLimits.Name);
        entry.Target.ShouldEndWith("…");
        entry.Error.ShouldBe("one [2J two \ufffd");
        entry.Facts.Count.ShouldBe(AuditLimits.Facts);
        entry.Facts.Values.ShouldAllBe(v => v.Length <= AuditLimits.Sentence);
    }

    [Fact]
    public void Many_items_become_several_entries()
    {
        var items = Enumerable.Range(0, AuditLimits.Items + 1).Select(i => new AuditItem($"{i}", "removed")).ToList();
        var entries = AuditEntries.Complete(
            new AuditEntry { Action = AuditActions.BackupPrune, Outcome = AuditOutcome.Done, Items = items }, Now, "host", AuditActor.Schedule);
        entries.SelectMany(e => e.Items).ShouldBe(items);
        entries.Select(e => e.Facts["part"]).ShouldBe(["1 of 2", "2 of 2"]);
        entries.Select(e => e.Id).Distinct().Count().ShouldBe(2);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("[1]")]
    [InlineData("{\"action\":5}")]
    [InlineData("{\"id\":\"x\"}")]
    public void What_is_no_entry_is_none(string line) => AuditJson.Read(Encoding.UTF8.GetBytes(line)).ShouldBeNull();

    [Fact]
    public void A_line_of_a_newer_program_is_still_read() => AuditJson.Read(
        """{"id":"1","at":"2026-11-26T00:00:00+00:00","action":"new.thing","outcome":"done","colour":"red"}"""u8)!.Action.ShouldBe("new.thing");

    [Fact]
    public void Filters_take_what_was_asked_for()
    {
        var entry = Complete(new AuditEntry { Action = "key.add", Outcome = AuditOutcome.Done, Target = "0123abcd" });
        new AuditFilter().Takes(entry).ShouldBeTrue();
        new AuditFilter { Action = "key", Outcome = AuditOutcome.Done, Actor = "SOME", Subject = "abcd", From = Now, To = Now.AddSeconds(1) }.Takes(entry).ShouldBeTrue();
        new AuditFilter { Action = "ke" }.Takes(entry).ShouldBeFalse();
        new AuditFilter { Outcome = AuditOutcome.Failed }.Takes(entry).ShouldBeFalse();
        new AuditFilter { To = Now }.Takes(entry).ShouldBeFalse();
        new AuditFilter { From = Now.AddSeconds(1) }.Takes(entry).ShouldBeFalse();
        new AuditFilter { Subject = "zzz" }.Takes(entry).ShouldBeFalse();
    }

    private static AuditEntry Complete(AuditEntry entry) =>
        AuditEntries.Complete(entry, Now, "host", new AuditActor(AuditActorKind.User, "somebody")).ShouldHaveSingleItem();
}
