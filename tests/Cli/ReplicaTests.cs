using System.Text.Json.Nodes;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Replicas from the command line: replicate, status, repair, and restores that need them.</summary>
public sealed class ReplicaTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public ReplicaTests()
    {
        _fbackup.WriteConfiguration("  replication: { replicas: [ { name: offsite, storage_backend: filesystem, path: ./copy } ] }");
        _fbackup.Write("recordings/call.txt", "hello");
        _fbackup.Write("recordings/long.txt", string.Join('\n', Enumerable.Range(0, 20_000)));
        _fbackup.Run("init", "--yes").Expect(0);
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void A_folder_becomes_a_replica_only_when_it_is_asked_for_and_backups_follow_then()
    {
        var first = _fbackup.Run("backup", "run").Expect(3); // the backup is there; the replica could not be
        first.Output.ShouldContain("voice_data");
        first.Error.ShouldContain("Replica offsite");
        _fbackup.Run("repository", "replicate").Expect(1).Error.ShouldContain("Replica offsite");
        Directory.Exists(_fbackup.PathOf("copy")).ShouldBeFalse();
        Directory.CreateDirectory(_fbackup.PathOf("copy")); // as an empty mount point
        _fbackup.Run("repository", "replicate").Expect(1).Error.ShouldContain("is its disk mounted?");
        _fbackup.Run("repository", "replicate", "--create").Expect(0).Output.ShouldContain("it has all that the repository has");
        _fbackup.Write("recordings/call2.txt", "hello again");
        _fbackup.Run("backup", "run").Expect(0);
        Objects("copy", "snapshots").Length.ShouldBe(2);
        var again = _fbackup.Run("repository", "replicate", "offsite", "--json").Expect(0).Events[^1];
        again["replicas"]![0]!["copied_objects"]!.GetValue<long>().ShouldBeLessThanOrEqualTo(1); // what the audit log has of the backup itself
        Objects("copy", "packs").Length.ShouldBe(Objects("repository", "packs").Length);
        again["replicas"]![0]!["missing_objects"]!.GetValue<long>().ShouldBe(0);
    }

    [Fact]
    public void Status_shows_how_far_each_replica_is()
    {
        _fbackup.Run("backup", "run");
        var never = Replica();
        never["state"]!.GetValue<string>().ShouldBe("unreachable");
        never["reason"]!.GetValue<string>().ShouldContain("--create");
        Directory.CreateDirectory(_fbackup.PathOf("copy"));
        Replica()["state"]!.GetValue<string>().ShouldBe("empty");
        _fbackup.Run("repository", "replicate", "--create").Expect(0);
        Replica()["state"]!.GetValue<string>().ShouldBe("in_step");
        File.Delete(Objects("copy", "snapshots").Single());
        var behind = Replica();
        behind["state"]!.GetValue<string>().ShouldBe("behind");
        behind["missing_recovery_points"]!.GetValue<long>().ShouldBe(1);
        behind["lag_seconds"]!.GetValue<double>().ShouldBeGreaterThan(0);
        _fbackup.Run("status").Output.ShouldContain("offsite");
        Directory.Delete(_fbackup.PathOf("copy"), recursive: true);
        Replica()["state"]!.GetValue<string>().ShouldBe("unreachable");

        JsonNode Replica() => _fbackup.Run("status", "--json").Json["replicas"]![0]!;
    }

    [Fact]
    public void A_restore_needs_no_repository_when_it_is_from_a_replica()
    {
        _fbackup.Run("backup", "run");
        _fbackup.Run("repository", "replicate", "--create").Expect(0);
        Directory.Delete(_fbackup.PathOf("repository"), recursive: true);
        _fbackup.Run("restore", "voice_data", "--target", "out").Expect(1).Error.ShouldContain("--from-replica offsite");
        _fbackup.Run("restore", "voice_data", "--target", "out", "--from-replica", "offsit").Expect(2).Error.ShouldContain("did you mean 'offsite'?");
        _fbackup.Run("restore", "voice_data", "--target", "out", "--from-replica", "offsite", "--plan").Expect(0);
        _fbackup.Run("restore", "voice_data", "--target", "out", "--from-replica", "offsite").Expect(0);
        File.ReadAllText(_fbackup.PathOf("out/recordings/call.txt")).ShouldBe("hello");
    }

    [Fact]
    public void A_restore_reads_from_the_replica_what_is_damaged_and_repair_heals_it()
    {
        _fbackup.Run("backup", "run");
        _fbackup.Run("repository", "replicate", "--create").Expect(0);
        var packs = Objects("repository", "packs");
        foreach (var pack in packs) Spoil(pack);
        var restored = _fbackup.Run("restore", "voice_data", "--target", "out").Expect(3);
        restored.Error.ShouldContain("It was read from");
        File.ReadAllText(_fbackup.PathOf("out/recordings/long.txt")).ShouldBe(File.ReadAllText(_fbackup.PathOf("recordings/long.txt")));

        _fbackup.Run("backup", "verify", "--level", "full").Expect(5);
        var repaired = _fbackup.Run("repository", "repair", "--json").Expect(0).Json;
        repaired["healed"]!.AsArray().Select(h => h!["object"]!.GetValue<string>()).ShouldBe(packs.Select(NameOf), ignoreOrder: true);
        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);
    }

    [Fact]
    public void Repair_heals_the_replica_and_a_repository_that_cannot_be_opened()
    {
        _fbackup.Run("backup", "run");
        _fbackup.Run("repository", "replicate", "--create").Expect(0);
        Spoil(Objects("copy", "snapshots").Single());
        File.Delete(Path.Combine(_fbackup.PathOf("repository"), "config"));
        foreach (var slot in Objects("repository", "keys").Where(s => s.Contains("/slots/", StringComparison.Ordinal) || s.Contains("/witness/", StringComparison.Ordinal))) Spoil(slot);
        _fbackup.Run("backup", "list").Expect(4);
        var repaired = _fbackup.Run("repository", "repair", "--read-all").Expect(0);
        repaired.Output.ShouldContain("config in ");
        repaired.Output.ShouldContain("snapshots/");
        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);
        _fbackup.Run("restore", "voice_data", "--target", "out", "--from-replica", "offsite").Expect(0);
    }

    [Fact]
    public void Names_of_replicas_are_checked()
    {
        _fbackup.Run("repository", "replicate", "elsewhere").Expect(2).Error.ShouldContain("There is no replica 'elsewhere'; configured: offsite.");
        _fbackup.WriteConfiguration();
        _fbackup.Run("repository", "replicate").Expect(2).Error.ShouldContain("No replica is configured");
    }

    private string[] Objects(string store, string folder) => Directory.GetFiles(Path.Combine(_fbackup.PathOf(store), folder), "*", SearchOption.AllDirectories);

    private string NameOf(string file) => Path.GetRelativePath(_fbackup.PathOf("repository"), file);

    private static void Spoil(string file)
    {
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var bytes = File.ReadAllBytes(file);
        bytes[bytes.Length / 2] ^= 1;
        File.WriteAllBytes(file, bytes);
    }
}
