using System.Text.Json.Nodes;

namespace FunctionsBackup.Tests.Cli;

/// <summary>The audit log at the command line.</summary>
public sealed class AuditTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public AuditTests()
    {
        _fbackup.WriteConfiguration("""
              policies:
                voice_data: { retention: { snapshots: 1 } }
            """);
        _fbackup.Write("recordings/one", "one");
        _fbackup.Run("init", "--yes").Expect(0);
    }

    private string SegmentFolder => Directory.GetDirectories(_fbackup.PathOf("repository/audit/segments")).ShouldHaveSingleItem();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void Every_command_that_is_more_than_a_look_leaves_its_entry()
    {
        _fbackup.Run("backup", "run").Expect(0);
        var first = (string)_fbackup.Run("--json", "backup", "list").Expect(0).Json["recovery_points"]![0]!["id"]!;
        _fbackup.Run("backup", "keep", first, "--reason", "a court asked").Expect(0);
        _fbackup.Run("backup", "keep", first, "--remove").Expect(0);
        _fbackup.Run("backup", "verify", "--level", "quick").Expect(0);
        _fbackup.Run("restore", "voice_data", "--target", _fbackup.PathOf("restored")).Expect(0);
        _fbackup.Run("restore", "voice_data", "--target", _fbackup.PathOf("planned"), "--plan");
        _fbackup.Write("recordings/two", "two");
        _fbackup.Run("backup", "run").Expect(0);
        _fbackup.Run("backup", "prune").Expect(0);
        _fbackup.Run("repository", "repair").Expect(0);
        _fbackup.Environment["SECOND"] = "another PLANTED phrase";
        var slot = (string)_fbackup.Run("--json", "repository", "keys", "add", "--passphrase", "env:SECOND", "--label", "spare").Expect(0).Json["id"]!;
        _fbackup.Run("repository", "keys", "remove", slot).Expect(0);
        var key = (string)_fbackup.Run("--json", "serve", "keys", "add", "otto", "--role", "operator").Expect(0).Json["key"]!;
        _fbackup.Run("serve", "keys", "remove", "otto").Expect(0);
        _fbackup.Run("work", "cancel", "backup-nothing").Expect(4);
        _fbackup.Run("backup", "verify", "nothing-of-that-name").Expect(4);
        _fbackup.Run("audit", "verify").Expect(0);
        _fbackup.Run("audit", "export", "--output", _fbackup.PathOf("export.jsonl")).Expect(0);

        var entries = Entries();
        foreach (var action in (string[])
            [
                "repository.init", "backup.run", "retention.keep", "retention.unkeep", "verification.run", "restore.run", "restore.plan",
                "retention.prune", "repository.repair", "key.add", "key.remove", "api_key.add", "api_key.remove", "work.cancel", "audit.verify",
                "audit.export", "configuration.changed",
            ])
            entries.ShouldContain(e => (string)e["action"]! == action, action);
        entries.ShouldAllBe(e => ((string)e["host"]!).Length > 0 && ((string)e["actor"]!["name"]!).Length > 0);
        var kept = entries.Single(e => (string)e["action"]! == "retention.keep");
        ((string)kept["target"]!, (string)kept["facts"]!["reason"]!, (string)kept["actor"]!["kind"]!).ShouldBe((first, "a court asked", "user"));
        var went = entries.Single(e => (string)e["action"]! == "retention.prune" && e["items"]!.AsArray().Count > 0);
        ((string)went["items"]![0]!["name"]!).ShouldBe(first);
        ((string)went["items"]![0]!["detail"]!).ShouldNotBeEmpty();
        ((string)entries.Single(e => (string)e["action"]! == "key.add")["target"]!).ShouldBe(slot);
        ((int)entries.Single(e => (string)e["action"]! == "work.cancel")["exit_code"]!).ShouldBe(4);
        // The command's entries and the orchestration's are joined by its instance.
        entries.Where(e => (string)e["action"]! == "backup.run").GroupBy(e => (string?)e["instance"]).Count(g => g.Key is not null).ShouldBe(2);
        entries.Where(e => (string)e["action"]! == "backup.run" && (string)e["outcome"]! == "started").Count().ShouldBe(2);

        // What was a secret is nowhere in the log.
        var all = string.Join('\n', entries.Select(e => e.ToJsonString()));
        foreach (var secret in (string[])[Fbackup.Passphrase, "PLANTED", key]) all.ShouldNotContain(secret);
    }

    [Fact]
    public void Nothing_is_recorded_of_who_only_looks()
    {
        var before = Directory.GetFiles(SegmentFolder).Length;
        _fbackup.Run("backup", "list").Expect(0);
        _fbackup.Run("status");
        _fbackup.Run("config", "show").Expect(0);
        _fbackup.Run("repository", "stats").Expect(0);
        Directory.GetFiles(SegmentFolder).Length.ShouldBe(before);
        Directory.GetFiles(_fbackup.PathOf("state/audit/spool")).ShouldBeEmpty();
    }

    [Fact]
    public void Verify_names_the_first_broken_link_and_ends_with_5()
    {
        for (var i = 0; i < 4; i++) _fbackup.Run("serve", "keys", "add", $"k{i}").Expect(0);
        _fbackup.Run("audit", "verify").Expect(0).Output.ShouldContain("every link holds");
        File.Delete(Directory.GetFiles(SegmentFolder).Order().ElementAt(2));
        var ran = _fbackup.Run("--json", "audit", "verify").Expect(5);
        ((string)ran.Json["broken"]![0]!["object"]!).ShouldEndWith("/0000000003");
        ((bool)ran.Json["intact"]!).ShouldBeFalse();
        _fbackup.Run("audit", "export").Expect(5).Output.ShouldContain("\"intact\":false");
    }

    [Fact]
    public void A_shortened_chain_is_found_by_its_machine_and_by_heads_kept_elsewhere()
    {
        for (var i = 0; i < 3; i++) _fbackup.Run("serve", "keys", "add", $"k{i}").Expect(0);
        File.WriteAllText(_fbackup.PathOf("heads.json"), _fbackup.Run("--json", "audit", "verify").Expect(0).Output);
        var files = Directory.GetFiles(SegmentFolder).Order().ToList();
        foreach (var file in files[^2..]) File.Delete(file);
        _fbackup.Run("audit", "verify").Expect(5).Output.ShouldContain("this machine has seen");
    }

    [Fact]
    public void Heads_that_were_kept_elsewhere_find_what_no_machine_remembers()
    {
        for (var i = 0; i < 3; i++) _fbackup.Run("serve", "keys", "add", $"k{i}").Expect(0);
        File.WriteAllText(_fbackup.PathOf("heads.json"), _fbackup.Run("--json", "audit", "verify").Expect(0).Output);
        _fbackup.Run("audit", "verify", "--heads", _fbackup.PathOf("heads.json")).Expect(0);
        foreach (var file in Directory.GetFiles(SegmentFolder).Order().ToList()[2..]) File.Delete(file);
        _fbackup.Environment["FBACKUP_STATE"] = _fbackup.PathOf("another-machine");
        _fbackup.Run("audit", "verify").Expect(0); // nobody else has seen them
        _fbackup.Run("audit", "verify", "--heads", _fbackup.PathOf("heads.json")).Expect(5).Output.ShouldContain("heads.json has seen");
        _fbackup.Run("audit", "verify", "--heads", _fbackup.PathOf("backup_config.yaml")).Expect(2);
    }

    [Fact]
    public async Task Many_processes_at_once_make_one_chain_without_a_fork()
    {
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async i =>
        {
            using var process = _fbackup.Start("work", "cancel", $"k{i}"); // there is none, which is recorded too
            var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
            await Task.WhenAll(output, error, process.WaitForExitAsync());
            process.ExitCode.ShouldBe(4, await error);
        }));
        _fbackup.Run("audit", "verify").Expect(0);
        Entries().Where(e => (string)e["action"]! == "work.cancel").Select(e => (string)e["target"]!)
            .ShouldBe(Enumerable.Range(0, 6).Select(i => $"k{i}"), ignoreOrder: true);
    }

    [Fact]
    public void A_repository_that_is_away_delays_entries_and_says_so()
    {
        Directory.Move(_fbackup.PathOf("repository"), _fbackup.PathOf("away"));
        var ran = _fbackup.Run("serve", "keys", "add", "otto").Expect(0);
        ran.Error.ShouldContain("warning: The audit log could not be written, and its entries wait in");
        // A command that fails for the same reason says it once.
        _fbackup.Run("backup", "keep", "latest").Expect(1).Error.TrimEnd('\n').ShouldNotContain("\n");
        Directory.Move(_fbackup.PathOf("away"), _fbackup.PathOf("repository"));
        _fbackup.Run("audit", "verify").Expect(3).Error.ShouldContain("2 entries wait");
        Entries().Select(e => (string)e["action"]!).ShouldContain("api_key.add");
    }

    [Fact]
    public async Task A_host_records_its_start_and_its_stop()
    {
        using var host = new RunningFbackup(_fbackup, "serve", "--urls", "http://127.0.0.1:0");
        await host.SaysAsync("Serving at");
        host.Signal(15);
        await host.EndAsync();
        var entries = Entries("--action", "serve");
        entries.Select(e => (string)e["action"]!).ShouldBe(["serve.start", "serve.stop"]);
        entries.ShouldAllBe(e => ((string)e["target"]!).StartsWith("http://127.0.0.1:"));
    }

    [Fact]
    public void The_report_is_one_html_file_and_filters_choose()
    {
        _fbackup.Run("serve", "keys", "add", "<script>alert(1)</script>");
        var html = _fbackup.Run("audit", "export", "--format", "html").Expect(0).Output;
        html.ShouldStartWith("<!DOCTYPE html>");
        html.ShouldNotContain("<script");
        html.ShouldContain("repository.init");
        html.ShouldContain("Intact.");
        var lines = _fbackup.Run("audit", "export").Expect(0).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => JsonNode.Parse(l)!.AsObject()).ToList();
        ((bool)lines[^1]["verification"]!["intact"]!).ShouldBeTrue();
        lines[0]["controls"]!.AsArray().Select(c => (string)c!).ShouldContain("HIPAA 164.312(b)");
        _fbackup.Run("audit", "export", "--to", "2020-01-01").Expect(0).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length.ShouldBe(1);
        _fbackup.Run("audit", "export", "--from", "yesterday").Expect(2);
        Entries("--action", "repository").ShouldAllBe(e => ((string)e["action"]!).StartsWith("repository."));
        Entries("--outcome", "failed").ShouldBeEmpty();
        Entries("--limit", "1").Count.ShouldBe(1);
    }

    private List<JsonNode> Entries(params string[] filter) =>
        [.. _fbackup.Run(["--json", "audit", "list", .. filter]).Expect(0).Json["entries"]!.AsArray().Select(e => e!)];
}
