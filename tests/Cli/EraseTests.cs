using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>One data subject is erased from all recovery points and replicas; its neighbours are not.</summary>
public sealed class EraseTests : IDisposable
{
    private const string Replica = "  replication: { replicas: [ { name: offsite, storage_backend: filesystem, path: ./copy } ] }";

    private readonly Fbackup _fbackup = new();
    private bool _replicated;

    public EraseTests()
    {
        Configure("""["calls/{subject}/**", "**/caller-{subject}-*.txt"]""");
        foreach (var name in new[] { "alice", "bob" })
        {
            Write($"calls/{name}/one.txt", Text(name, 1));
            Write($"calls/{name}/deep/two.txt", Text(name, 2));
            Write($"misc/caller-{name}-77.txt", Text(name, 3));
        }

        Write("calls/readme.txt", Text("nobody", 1));
        _fbackup.Run("init", "--yes").Expect(0);
    }

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public void An_erased_subject_cannot_be_read_from_any_copy_while_its_neighbours_can()
    {
        BeginReplica();
        Backup();
        Write("calls/bob/three.txt", Text("bob", 4));
        Backup();
        var ids = Ids();
        ids.Length.ShouldBe(2);

        var dry = _fbackup.Run("erase", "--subject", "alice", "--dry-run", "--json").Expect(0).Json;
        dry["recovery_points"]!.AsArray().Select(p => p!["files"]!.GetValue<long>()).ShouldBe([3, 3]);
        _fbackup.Run("erase", "--subject", "alice").Expect(2).Error.ShouldContain("--yes");
        _fbackup.Run("erase", "--subject", "alice", "--reference", "Alice's wish", "--yes").Expect(2).Error.ShouldContain("must not hold the subject's name");
        _fbackup.Run("erase", "--subject", "carol", "--yes").Error.ShouldContain("spelt");
        Keys().Length.ShouldBe(4, "two subjects, and their copies");

        var erased = _fbackup.Run("erase", "--subject", "alice", "--reference", "DSR-7", "--yes", "--json").Expect(0).Json;
        erased["complete"]!.GetValue<bool>().ShouldBeTrue();
        erased["stores"]!.AsArray().Select(s => s!["destroyed"]!.AsArray().Count).ShouldBe([1, 1]);
        Keys().Length.ShouldBe(2);
        var again = _fbackup.Run("erase", "--subject", "alice", "--yes", "--json").Expect(0).Json;
        again["stores"]!.AsArray().Select(s => s!["destroyed"]!.AsArray().Count).ShouldBe([0, 0]);

        foreach (var (id, number) in ids.Select((id, i) => (id, i)))
            foreach (var from in new[] { Array.Empty<string>(), ["--from-replica", "offsite"] })
                Restores(id, $"out{number}{from.Length}", bobs: 3 + number, from);
        foreach (var level in new[] { "quick", "full", "restore" }) _fbackup.Run("backup", "verify", "all", "--level", level).Expect(0);

        // Repair and replication bring nothing back, and with the keys that the repository has nothing opens.
        _fbackup.Run("repository", "repair").Expect(0);
        _fbackup.Run("repository", "replicate").Expect(0);
        Keys().Length.ShouldBe(2);
        Restores(ids[0], "after", bobs: 3);

        // The certificate is in the log, and nobody's name.
        var log = _fbackup.Run("audit", "list", "--json").Expect(0).Output;
        log.ShouldContain("erasure.run");
        log.ShouldContain("DSR-7");
        log.ShouldContain(erased["subject"]!.GetValue<string>());
        log.ShouldNotContain("alice");
        _fbackup.Run("audit", "verify").Expect(0);
    }

    [Fact]
    public void What_was_there_is_not_stored_again_and_what_is_new_is()
    {
        Backup();
        _fbackup.Run("erase", "--subject", "alice", "--yes").Expect(0);
        var second = _fbackup.Run("backup", "run").Expect(3);
        second.Error.ShouldContain("3 files are of data subjects that were erased");
        Restores("latest", "second", bobs: 3, expect: 0);
        foreach (var file in Directory.EnumerateFiles(_fbackup.PathOf("recordings"), "*", SearchOption.AllDirectories).Where(f => f.Contains("alice")).ToList())
            File.Delete(file);
        Write("calls/alice/new.txt", Text("alice", 9));
        Backup();
        _fbackup.Run("restore", "voice_data", "latest", "--target", "third").Expect(0);
        File.ReadAllText(_fbackup.PathOf("third/recordings/calls/alice/new.txt")).ShouldBe(Text("alice", 9));
        Keys().Length.ShouldBe(2);
        // And once more.
        _fbackup.Run("erase", "--subject", "alice", "--yes").Expect(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "fourth").Expect(3).Error.ShouldContain("1 files are of data subjects that were erased");
        Keys().Length.ShouldBe(1);
    }

    [Fact]
    public void A_replica_that_is_away_follows_when_it_is_back_and_heals_nothing_meanwhile()
    {
        BeginReplica();
        Backup();
        Directory.Move(_fbackup.PathOf("copy"), _fbackup.PathOf("away"));
        var pending = _fbackup.Run("erase", "--subject", "alice", "--yes", "--json").Expect(3);
        pending.Json["pending"]!.AsArray().Count.ShouldBe(1);
        Directory.Move(_fbackup.PathOf("away"), _fbackup.PathOf("copy"));
        Keys().Length.ShouldBe(3, "the replica has it still");
        // Reads fall back to replicas, but not for what was erased.
        Restores("latest", "out", bobs: 3);
        _fbackup.Run("repository", "repair").Expect(0);
        Keys().Length.ShouldBe(2);
        Restores("latest", "out2", bobs: 3, "--from-replica", "offsite");
        _fbackup.Run("erase", "--subject", "alice", "--yes").Expect(0);

        // A key that nobody destroyed is damage when it is missing, and comes back from the replica.
        var key = Keys("repository").Single();
        File.Delete(key);
        _fbackup.Run("backup", "verify", "all", "--level", "full").Expect(5).Output.ShouldContain("nobody destroyed it");
        _fbackup.Run("repository", "repair").Expect(0);
        File.Exists(key).ShouldBeTrue();
        Restores("latest", "out3", bobs: 3);
        // The tombstone alone does it, too, wherever it is.
        File.Delete(Directory.EnumerateFiles(_fbackup.PathOf("repository/erased"), "*", SearchOption.AllDirectories).Single());
        _fbackup.Run("repository", "repair").Expect(0);
        Directory.EnumerateFiles(_fbackup.PathOf("repository/erased"), "*", SearchOption.AllDirectories).Count().ShouldBe(1);
    }

    [Fact]
    public void Recovery_points_from_before_the_tags_are_named_and_the_next_backup_seals()
    {
        Configure("[]");
        Backup();
        var old = Ids().Single();
        Configure("""["calls/{subject}/**", "**/caller-{subject}-*.txt"]""");
        Backup();
        var erased = _fbackup.Run("erase", "--subject", "alice", "--yes").Expect(3);
        erased.Error.ShouldContain(old);
        erased.Error.ShouldContain("3 files of the subject that are under no key");
        Restores("latest", "out", bobs: 3);
        _fbackup.Run("restore", "voice_data", old, "--target", "old").Expect(0);
        File.ReadAllText(_fbackup.PathOf("old/recordings/calls/alice/one.txt")).ShouldBe(Text("alice", 1), "that is what the warning is about");
    }

    [Fact]
    public void Patterns_that_make_no_sense_are_refused_and_keys_are_rotated_as_ever()
    {
        Configure("[\"calls/*\"]");
        _fbackup.Run("config", "check").Expect(2).Error.ShouldContain("{subject} once in each");
        Configure("[\"calls/{subject}/../x\"]");
        _fbackup.Run("backup", "run").ExitCode.ShouldBe(2);
        Configure("""["calls/{subject}/**"]""");
        Backup();
        _fbackup.Run("repository", "rotate-key").Expect(0);
        Write("calls/dave/one.txt", Text("dave", 1));
        Write("calls/alice/more.txt", Text("alice", 5));
        Backup();
        _fbackup.Run("restore", "voice_data", "latest", "--target", "all").Expect(0);
        File.ReadAllText(_fbackup.PathOf("all/recordings/calls/alice/more.txt")).ShouldBe(Text("alice", 5));
        File.ReadAllText(_fbackup.PathOf("all/recordings/calls/alice/one.txt")).ShouldBe(Text("alice", 1));
        // A delta restore mends what was changed.
        File.WriteAllText(_fbackup.PathOf("all/recordings/calls/alice/one.txt"), "spoilt");
        _fbackup.Run("restore", "voice_data", "latest", "--target", "all", "--delta").Expect(0);
        File.ReadAllText(_fbackup.PathOf("all/recordings/calls/alice/one.txt")).ShouldBe(Text("alice", 1));
        _fbackup.Run("erase", "--subject", "alice", "--yes").Expect(0);
        _fbackup.Run("restore", "voice_data", "latest", "--target", "some").Expect(3);
        File.Exists(_fbackup.PathOf("some/recordings/calls/alice/one.txt")).ShouldBeFalse();
        File.ReadAllText(_fbackup.PathOf("some/recordings/calls/dave/one.txt")).ShouldBe(Text("dave", 1));
    }

    [Fact]
    public async Task In_a_bucket_and_a_container_an_erased_subject_cannot_be_read_either()
    {
        await using var rgw = await RgwServer.StartAsync();
        await using var azurite = await AzuriteServer.StartAsync();
        using var s3 = new AmazonS3Client(RgwServer.AccessKey, RgwServer.SecretKey, new AmazonS3Config
        {
            ServiceURL = rgw.Endpoint.AbsoluteUri, ForcePathStyle = true, AuthenticationRegion = "us-east-1",
        });
        await s3.PutBucketAsync("backups");
        await new Azure.Storage.Blobs.BlobContainerClient(azurite.ConnectionString, "copies").CreateAsync();
        (_fbackup.Environment["KEY"], _fbackup.Environment["SECRET"]) = (RgwServer.AccessKey, RgwServer.SecretKey);
        _fbackup.Environment["CONNECTION"] = azurite.ConnectionString;
        _fbackup.Write("backup_config.yaml", $$"""
            backup_config:
              global: { storage_backend: s3 }
              storage: { bucket: backups, endpoint: "{{rgw.Endpoint}}", access_key: env:KEY, secret_key: env:SECRET }
              keys: { passphrase: env:FBACKUP_PASSPHRASE }
              components:
                voice_data: { paths: [./recordings], subjects: ["calls/{subject}/**", "**/caller-{subject}-*.txt"] }
              replication: { replicas: [ { name: offsite, storage_backend: azure_blob, container: copies, connection_string: env:CONNECTION } ] }

            """);
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Run("repository", "replicate", "--create").Expect(0);
        Write("calls/carol/one.txt", Text("carol", 1));
        Backup();
        foreach (var name in new[] { "alice", "carol" })
        {
            var erased = _fbackup.Run("erase", "--subject", name, "--yes", "--json").Expect(0).Json;
            erased["stores"]!.AsArray().Select(s => s!["destroyed"]!.AsArray().Count).ShouldBe([1, 1]);
        }

        var left = await s3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = "backups", Prefix = "subjects/" });
        left.S3Objects.ShouldHaveSingleItem("only bob's is left"); // that older versions go too: S3LockTests
        Restores("latest", "from-s3", bobs: 3);
        Restores("latest", "from-azure", bobs: 3, "--from-replica", "offsite");
        _fbackup.Run("backup", "verify", "all", "--level", "full").Expect(0);
    }

    private void Configure(string subjects) => _fbackup.Write("backup_config.yaml", $$"""
        backup_config:
          storage: { path: ./repository }
          keys: { passphrase: env:FBACKUP_PASSPHRASE }
          components:
            voice_data:
              paths: [./recordings]
              subjects: {{subjects}}
        {{(_replicated ? Replica : "")}}

        """);

    private void BeginReplica()
    {
        _replicated = true;
        Configure("""["calls/{subject}/**", "**/caller-{subject}-*.txt"]""");
        Directory.CreateDirectory(_fbackup.PathOf("copy"));
        _fbackup.Run("repository", "replicate", "--create").Expect(0);
    }

    private void Backup() => _fbackup.Run("backup", "run").Expect(0);

    private void Write(string name, string text) => _fbackup.Write("recordings/" + name, text);

    private static string Text(string name, int seed) =>
        string.Join('\n', Enumerable.Range(seed * 1000, 3000).Select(i => $"{name} said {i} and {i * 7919 % 10007}"));

    private string[] Ids() =>
        [.. _fbackup.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray().Select(p => p!["id"]!.GetValue<string>()).Order(StringComparer.Ordinal)];

    private string[] Keys(params string[] folders) =>
        [.. (folders.Length > 0 ? folders : ["repository", "copy"]).Select(f => _fbackup.PathOf(f + "/subjects")).Where(Directory.Exists)
            .SelectMany(f => Directory.EnumerateFiles(f, "*", SearchOption.AllDirectories))];

    private void Restores(string id, string target, int bobs, params string[] more) => Restores(id, target, bobs, 3, more);

    private void Restores(string id, string target, int bobs, int expect, params string[] more)
    {
        _fbackup.Run(["restore", "voice_data", id, "--target", target, .. more]).Expect(expect);
        var files = Directory.EnumerateFiles(_fbackup.PathOf(target), "*", SearchOption.AllDirectories).ToList();
        files.ShouldNotContain(f => f.Contains("alice") || f.Contains("carol"));
        files.Count(f => f.Contains("bob")).ShouldBe(bobs);
        files.Count.ShouldBe(bobs + 1);
        foreach (var file in files)
            File.ReadAllText(file).ShouldBe(File.ReadAllText(Path.Combine(_fbackup.PathOf("recordings"), Path.GetRelativePath(_fbackup.PathOf(target + "/recordings"), file))));
    }
}
