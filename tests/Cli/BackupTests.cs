namespace FunctionsBackup.Tests.Cli;

/// <summary>Taking, showing, keeping and removing recovery points of files.</summary>
public sealed class BackupTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public BackupTests()
    {
        _fbackup.WriteConfiguration("  policies: { voice_data: { retention: { snapshots: 1 } } }");
        _fbackup.Write("recordings/call.txt", "hello");
        _fbackup.Run("init", "--yes").Expect(0);
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void Run_list_and_show_tell_of_the_same_recovery_point()
    {
        var events = _fbackup.Run("backup", "run", "--json").Expect(0).Events;
        events[^1]["event"]!.GetValue<string>().ShouldBe("result");
        var id = events[^1]["recovery_points"]![0]!["id"]!.GetValue<string>();

        var listed = _fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray();
        listed.Single()!["id"]!.GetValue<string>().ShouldBe(id);
        listed[0]!["files"]!.GetValue<int>().ShouldBe(1);
        listed[0]!["logical_bytes"]!.GetValue<int>().ShouldBe(5);
        var point = events[^1]["point"]!.GetValue<string>();
        listed[0]!["point"]!.GetValue<string>().ShouldBe(point);
        _fbackup.Run("backup", "list").Expect(0).Output.ShouldMatch($"(?m)^{id} +{point} +voice_data ");
        _fbackup.Run("backup", "list", "--type", "logs").Expect(0).Output.ShouldNotContain(id);

        _fbackup.Run("backup", "show", "latest", "--json").Expect(0).Json["id"]!.GetValue<string>().ShouldBe(id);
        _fbackup.Run("backup", "show", id[..^3]).Expect(0).Output.ShouldContain(id);
    }

    [Theory]
    [InlineData("backup show 20010101T000000Z-voice_data-00000000", 4)]
    [InlineData("backup show latest --type logs", 4)]
    [InlineData("backup keep nonsense", 4)]
    [InlineData("backup run --type voicedata", 2)]
    [InlineData("backup run --type redis", 2)]
    [InlineData("backup run --type postgres", 2)]
    [InlineData("backup list --type nonsense", 2)]
    public void What_is_not_there_is_said_so(string line, int code)
    {
        var ran = _fbackup.Run(line.Split(' ')).Expect(code);
        ran.Output.ShouldBeEmpty();
        ran.Error.ShouldStartWith("fbackup: ");
    }

    [Fact]
    public void A_warning_is_exit_code_3()
    {
        _fbackup.WriteConfiguration("    logs: { paths: [./recordings, ./nowhere] }");
        var ran = _fbackup.Run("backup", "run", "--type", "logs").Expect(3);
        ran.Output.ShouldContain("-logs-");
        ran.Error.ShouldContain("nowhere");
    }

    [Fact]
    public void One_component_that_fails_does_not_stop_the_others()
    {
        _fbackup.WriteConfiguration("    logs: { paths: [./nowhere] }");
        var ran = _fbackup.Run("backup", "run").Expect(1);
        ran.Output.ShouldContain("-voice_data-");
        ran.Error.ShouldContain("logs: ");
    }

    [Fact]
    public void Prune_shows_before_it_removes_and_keep_pins()
    {
        var ids = Enumerable.Range(0, 3).Select(
            _ => _fbackup.Run("backup", "run", "--json").Expect(0).Events[^1]["recovery_points"]![0]!["id"]!.GetValue<string>())
            .ToList();
        _fbackup.Run("backup", "keep", ids[0], "--reason", "evidence").Expect(0);
        var preview = _fbackup.Run("backup", "prune", "--dry-run").Expect(0);
        preview.Output.ShouldMatch($"(?m)^{ids[0]} +stays +.*pinned");
        preview.Output.ShouldMatch($"(?m)^{ids[1]} +would go +");
        preview.Output.ShouldMatch($"(?m)^{ids[2]} +stays +");
        Ids().ShouldBe(ids);

        var pruned = _fbackup.Run("backup", "prune", "--json").Expect(0).Json;
        pruned["recovery_points"]!.AsArray().Where(p => !p!["keep"]!.GetValue<bool>()).Select(p => p!["id"]!.GetValue<string>()).ShouldBe(
            [ids[1]]);
        Ids().ShouldBe([ids[0], ids[2]]);

        _fbackup.Run("backup", "keep", ids[0], "--remove").Expect(0);
        _fbackup.Run("backup", "prune").Expect(0);
        Ids().ShouldBe([ids[2]]);

        List<string> Ids() => [.. _fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray().Select(
            p => p!["id"]!.GetValue<string>())];
    }

    [Fact]
    public void Stats_add_up()
    {
        _fbackup.Run("backup", "run").Expect(0);
        var stats = _fbackup.Run("repository", "stats", "--json").Expect(0).Json;
        var stored = Directory.EnumerateFiles(_fbackup.PathOf("repository"), "*", SearchOption.AllDirectories).Sum(
            f => new FileInfo(f).Length);
        stats["stored_bytes"]!.GetValue<long>().ShouldBeInRange(1, stored);
        stats["components"]!["voice_data"]!["recovery_points"]!.GetValue<int>().ShouldBe(1);
        _fbackup.Run("repository", "stats").Expect(0).Output.ShouldContain("voice_data");
    }
}
