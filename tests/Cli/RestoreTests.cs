namespace FunctionsBackup.Tests.Cli;

/// <summary>Restoring, verifying and judging recovery points of files.</summary>
public sealed class RestoreTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public RestoreTests()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Write("recordings/a/call.txt", "hello");
        _fbackup.Write("recordings/b/call.wav", new string('w', 100_000));
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Run("backup", "run").Expect(0);
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void What_was_lost_comes_back()
    {
        Directory.Delete(_fbackup.PathOf("recordings"), recursive: true);
        _fbackup.Run("restore", "voice_data", "latest", "--target", ".").Expect(0).Output.ShouldStartWith("Restored ");
        File.ReadAllText(_fbackup.PathOf("recordings/a/call.txt")).ShouldBe("hello");
        File.ReadAllText(_fbackup.PathOf("recordings/b/call.wav")).ShouldBe(new string('w', 100_000));
    }

    [Fact]
    public void A_plan_changes_nothing()
    {
        var plan = _fbackup.Run("restore", "voice_data", "latest", "--target", "out", "--plan", "--json").Expect(0).Json;
        plan["files"]!.GetValue<int>().ShouldBe(2);
        plan["bytes"]!.GetValue<int>().ShouldBe(100_005);
        plan["meets_objective"]!.GetValue<bool>().ShouldBeTrue();
        Directory.Exists(_fbackup.PathOf("out")).ShouldBeFalse();
        _fbackup.Environment["FBACKUP__OBJECTIVES__VOICE_DATA__RTO"] = "1s";
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out", "--plan").Output.ShouldContain("objective       1.0 s: ");
    }

    [Fact]
    public void What_is_there_is_not_overwritten_unless_asked()
    {
        _fbackup.Write("out/recordings/a/call.txt", "newer");
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out").Expect(1).Error.ShouldContain("exists and is not empty");
        File.ReadAllText(_fbackup.PathOf("out/recordings/a/call.txt")).ShouldBe("newer");
        var events = _fbackup.Run("restore", "voice_data", "latest", "--target", "out", "--delta", "--json").Expect(0).Events;
        events[^1]["event"]!.GetValue<string>().ShouldBe("result");
        File.ReadAllText(_fbackup.PathOf("out/recordings/a/call.txt")).ShouldBe("hello");
    }

    [Fact]
    public void A_part_is_chosen_by_pattern()
    {
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out", "--include", "*.txt").Expect(0);
        File.Exists(_fbackup.PathOf("out/recordings/a/call.txt")).ShouldBeTrue();
        File.Exists(_fbackup.PathOf("out/recordings/b/call.wav")).ShouldBeFalse();
    }

    [Fact]
    public void A_time_chooses_the_recovery_point()
    {
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out", "--to-time", "2001-01-01T00:00:00Z").Expect(4);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out", "--to-time", "2999-01-01 00:00:00+00").Expect(0);
    }

    [Theory]
    [InlineData("restore voice_data latest", 2, "--target")]
    [InlineData("restore voicedata latest --target out", 2, "did you mean 'voice_data'?")]
    [InlineData("restore voice_data latest --target out --to-time yesterday", 2, "is not a time with its zone")]
    [InlineData("restore voice_data latest --target out --to-time 2026-01-01T00:00:00", 2, "is not a time with its zone")]
    [InlineData("restore voice_data latest --target out --to-lsn 0/1", 2, "--to-lsn has no meaning for voice_data")]
    [InlineData("restore voice_data latest --target out --delete-extra", 2, "--delete-extra goes with --delta")]
    [InlineData("restore postgres latest --target out --to-lsn nonsense", 2, "is not an LSN")]
    [InlineData("restore postgres latest --target out --to-xid 5 --to-name x", 2, "one target only")]
    [InlineData("restore postgres latest --target out --timeline x", 2, "is not a timeline")]
    [InlineData("restore postgres latest --target out --tablespace-map x", 2, "is not a tablespace mapping")]
    [InlineData("restore postgres latest --target out --target-action dance", 2, "promote, pause or shutdown")]
    [InlineData("restore postgres latest --target out", 4, "postgres")]
    [InlineData("restore voice_data 19990101T000000Z-voice_data-00000000 --target out", 4, "19990101T000000Z")]
    [InlineData("backup verify --level thorough", 2, "level must be")]
    [InlineData("backup verify nonsense", 4, "nonsense")]
    public void Bad_requests_are_refused(string line, int code, string message)
    {
        var ran = _fbackup.Run(line.Split(' ')).Expect(code);
        ran.Output.ShouldBeEmpty();
        ran.Error.ShouldContain(message);
        Directory.Exists(_fbackup.PathOf("out")).ShouldBeFalse();
    }

    [Theory]
    [InlineData("quick")]
    [InlineData("sample:50")]
    [InlineData("full")]
    [InlineData("restore")]
    public void Every_level_of_verification_passes_what_is_whole(string level)
    {
        _fbackup.Run("backup", "verify", "--level", level).Expect(0);
        _fbackup.Run("backup", "verify", "latest", "--level", level, "--json").Expect(0).Events[^1]["event"]!.GetValue<string>().ShouldBe(
            "result");
    }

    [Fact]
    public void Damage_is_found_named_and_marked()
    {
        var pack = Directory.EnumerateFiles(_fbackup.PathOf("repository"), "*", SearchOption.AllDirectories)
            .Where(f => f.Contains("/packs/", StringComparison.Ordinal)).MaxBy(f => new FileInfo(f).Length)!;
        var bytes = File.ReadAllBytes(pack);
        bytes[bytes.Length / 3] ^= 1;
        File.SetUnixFileMode(pack, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.WriteAllBytes(pack, bytes);

        var found = _fbackup.Run("backup", "verify", "--level", "full").Expect(5);
        found.Output.ShouldContain("DEFECT ");
        found.Output.ShouldContain("fbackup repository repair");
        _fbackup.Run("backup", "verify", "--level", "restore").Expect(5);
        _fbackup.Run("repository", "repair").Expect(5);
        var status = _fbackup.Run("status", "--json").Expect(3).Json["components"]![0]!;
        status["restorable"]!.GetValue<bool>().ShouldBeFalse();
    }

    [Fact]
    public void Status_tells_what_is_well_and_what_is_not()
    {
        var status = _fbackup.Run("status", "--json").Expect(0).Json;
        status["well"]!.GetValue<bool>().ShouldBeTrue();
        var voice = status["components"]!.AsArray().Single()!;
        voice["protected"]!.GetValue<bool>().ShouldBeTrue();
        voice["restorable"]!.GetValue<bool>().ShouldBeTrue();
        voice["within_rpo"]!.GetValue<bool>().ShouldBeTrue();

        _fbackup.Environment["FBACKUP__COMPONENTS__LOGS__PATHS"] = "./logs";
        var ran = _fbackup.Run("status").Expect(3);
        ran.Output.ShouldMatch("(?m)^voice_data +yes +yes ");
        ran.Output.ShouldMatch("(?m)^logs +NO +NO ");
        ran.Error.ShouldContain("logs has no recovery point; take one with 'fbackup backup run --type logs'.");
    }

    [Fact]
    public void Repair_of_what_is_whole_loses_nothing() =>
        _fbackup.Run("repository", "repair", "--read-all").Expect(0).Output.ShouldContain("Nothing is lost.");
}
