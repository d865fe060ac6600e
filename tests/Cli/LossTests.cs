namespace FunctionsBackup.Tests.Cli;

/// <summary>What a repository lost behind everybody's back is said, with an exit code, and mended.</summary>
public sealed class LossTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public LossTests()
    {
        _fbackup.WriteConfiguration();
        _fbackup.Write("recordings/call.txt", "hello");
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Run("backup", "run").Expect(0);
        _fbackup.Write("recordings/call.txt", "hello again, and more");
        _fbackup.Run("backup", "run").Expect(0);
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void A_lost_record_is_damage_refuses_prune_is_warned_of_and_put_back()
    {
        var newest = Directory.GetFiles(_fbackup.PathOf("repository/snapshots")).Max(StringComparer.Ordinal)!;
        var id = Path.GetFileName(newest);
        File.Delete(newest);
        var verified = _fbackup.Run("backup", "verify", "--level", "quick").Expect(5);
        verified.Output.ShouldContain($"DEFECT snapshots/{id}");
        verified.Output.ShouldContain("mend: fbackup repository repair");
        _fbackup.Run("backup", "prune").Expect(5).Error.ShouldContain(id);
        _fbackup.Run("backup", "list").Expect(3).Error.ShouldContain(id);
        _fbackup.Run("status").Expect(3).Error.ShouldContain(id);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out").Error.ShouldContain(id);
        _fbackup.Run("restore", "voice_data", id, "--target", "out2").Expect(5).Error.ShouldContain("repository repair");

        _fbackup.Run("repository", "repair").Expect(0).Output.ShouldContain($"snapshots/{id} was put back from its copy.");
        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out3").Expect(0);
        File.ReadAllText(_fbackup.PathOf("out3/recordings/call.txt")).ShouldBe("hello again, and more");
    }

    [Fact]
    public void A_lost_key_slot_is_damage_and_put_back()
    {
        var slot = Directory.GetFiles(Directory.GetDirectories(_fbackup.PathOf("repository/keys")).Single() + "/slots")
            .Single(f => File.ReadAllText(f).Contains("recovery key", StringComparison.Ordinal));
        File.Delete(slot);
        _fbackup.Run("backup", "verify", "--level", "quick").Expect(5).Output.ShouldContain(Path.GetFileName(slot));
        _fbackup.Run("repository", "keys", "list").Expect(3).Error.ShouldContain(Path.GetFileName(slot));
        _fbackup.Run("repository", "repair").Expect(0);
        File.Exists(slot).ShouldBeTrue();
        _fbackup.Run("repository", "keys", "list").Expect(0);
    }

    [Fact]
    public void A_damaged_index_segment_warns_and_does_not_stop_a_backup()
    {
        var segment = Directory.GetFiles(_fbackup.PathOf("repository/index"), "*").First();
        var bytes = File.ReadAllBytes(segment);
        bytes[70] ^= 1;
        File.SetAttributes(segment, FileAttributes.Normal);
        File.WriteAllBytes(segment, bytes);
        var name = "index/" + Path.GetFileName(segment);
        var ran = _fbackup.Run("backup", "run").Expect(3);
        ran.Error.ShouldContain(name);
        ran.Error.ShouldContain("fbackup repository repair");
        _fbackup.Run("restore", "voice_data", "latest", "--target", "out").Error.ShouldContain(name);
        File.ReadAllText(_fbackup.PathOf("out/recordings/call.txt")).ShouldBe("hello again, and more");
        _fbackup.Run("backup", "prune").ExitCode.ShouldNotBe(0);
        _fbackup.Run("backup", "verify", "--level", "quick").Expect(5).Output.ShouldContain(name);
        _fbackup.Run("repository", "repair").Expect(0);
        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);
        _fbackup.Run("backup", "run").Expect(0);
    }
}
