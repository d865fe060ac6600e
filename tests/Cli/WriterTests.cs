using System.Text.Json.Nodes;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>A host that holds a writer file only, beside one that has the passphrase.</summary>
public sealed class WriterTests : IDisposable
{
    private readonly Fbackup _admin = new();
    private readonly Fbackup _host = new();

    public WriterTests()
    {
        _admin.WriteConfiguration();
        Directory.CreateDirectory(_admin.PathOf("recordings"));
        _admin.Run("init", "--yes").Expect(0);
        _admin.Run("repository", "keys", "writer", "add", "agent one", "--file", _host.PathOf("writer.json")).Expect(0);
        _host.Environment["FBACKUP_PASSPHRASE"] = null;
        Configure();
        for (var i = 0; i < 20; i++) _host.Write($"recordings/day/call{i}.txt", string.Join('\n', Enumerable.Range(i * 1000, 5000)));
        _host.Write("recordings/large.bin", new string('x', 3_000_000));
    }

    public void Dispose()
    {
        _admin.Dispose();
        _host.Dispose();
    }

    [Fact]
    public void It_adds_recovery_points_that_others_list_verify_and_restore()
    {
        var taken = _host.Run("backup", "run").Expect(0);
        taken.Output.ShouldContain("21 files");
        _host.Write("recordings/day/new.txt", "new");
        _host.Run("backup", "run", "--json").Expect(0).Events[^1]["ids"]!.AsArray().Count.ShouldBe(1);
        var listed = _admin.Run("backup", "list", "--json").Expect(0).Json["recovery_points"]!.AsArray();
        listed.Count.ShouldBe(2);
        var id = WriterId();
        _admin.Run("backup", "show", "latest", "--json").Expect(0).Json["writer"]!.GetValue<string>().ShouldBe(id);
        _admin.Run("backup", "verify", "--level", "full").Expect(0);
        _admin.Run("restore", "voice_data", "latest", "--target", "out").Expect(0);
        foreach (var file in Directory.EnumerateFiles(_host.PathOf("recordings"), "*", SearchOption.AllDirectories))
        {
            var relative = Path.GetRelativePath(_host.PathOf("recordings"), file);
            File.ReadAllBytes(_admin.PathOf(Path.Combine("out/recordings", relative))).ShouldBe(File.ReadAllBytes(file), relative);
        }

        // What it did is in the log, in a chain of its own that the holders of the keys vouched for.
        _admin.Run("audit", "verify").Expect(0);
        var entries = _admin.Run("audit", "list", "--json").Expect(0).Output;
        entries.ShouldContain("key.writer_add");
        entries.Split("backup.run").Length.ShouldBeGreaterThan(2);
        // A second process of it goes on with the chain.
        _host.Run("backup", "run").Expect(0).Error.ShouldBeEmpty();
        _admin.Run("audit", "verify").Expect(0);
    }

    [Fact]
    public void It_fails_to_read_prune_and_let_others_in()
    {
        _host.Run("backup", "run").Expect(0);
        var before = Objects().Where(IsKept).ToList();
        foreach (var command in new[]
        {
            "backup list", "backup show latest", "backup verify", "backup prune", "backup keep latest", "restore voice_data latest --target out", "status",
            "audit verify", "audit list", "repository repair", "repository rotate-key", "repository keys writer add other --file x",
            "repository keys remove 0123456789abcdef", "erase --subject alice --yes",
        })
        {
            var refused = _host.Run(command.Split(' '));
            refused.ExitCode.ShouldBe(2, command + refused.Output + refused.Error);
            refused.Error.ShouldContain("holds a writer file", Case.Sensitive, command);
        }

        File.Exists(_host.PathOf("x")).ShouldBeFalse();
        Directory.Exists(_host.PathOf("out")).ShouldBeFalse();
        Objects().Where(IsKept).ShouldBe(before);

        static bool IsKept(string name) => !name.Contains("/sessions/", StringComparison.Ordinal) && !name.StartsWith("audit/", StringComparison.Ordinal);
    }

    [Fact]
    public void A_writer_that_was_removed_adds_nothing_and_what_it_added_restores()
    {
        _host.Run("backup", "run").Expect(0);
        _admin.Run("repository", "keys", "writer", "remove", WriterId()).Expect(0).Output.ShouldContain("stays readable");
        _host.Run("backup", "run").Expect(2).Error.ShouldContain("was removed");
        _admin.Run("restore", "voice_data", "latest", "--target", "out").Expect(0);
        _admin.Run("repository", "keys", "writer", "list", "--json").Expect(0).Json["writers"]![0]!["removed_at"].ShouldNotBeNull();
        _admin.Run("repository", "keys", "writer", "remove", "ffffffff").Expect(1).Error.ShouldContain("There is no writer");
    }

    [Fact]
    public void Configuration_and_files_that_make_no_sense_are_refused()
    {
        Configure("keys: { writer: file:writer.json, passphrase: env:FBACKUP_PASSPHRASE }");
        _host.Run("config", "check").Expect(2).Error.ShouldContain("keys.writer is for a host that only writes");
        Configure();
        var text = File.ReadAllText(_host.PathOf("writer.json"));
        ((int)File.GetUnixFileMode(_host.PathOf("writer.json")) & 0x3F).ShouldBe(0, "only its owner can read it");
        _host.Write("writer.json", text.Replace("secret", "sacred", StringComparison.Ordinal));
        _host.Run("backup", "run").Expect(2).Error.ShouldContain("The writer file cannot be read");
        _host.Write("writer.json", "{}");
        _host.Run("backup", "run").Expect(2).Error.ShouldContain("The writer file cannot be read");
        _host.Write("writer.json", text);
        _host.Run("backup", "run").Expect(0);
        // Nothing secret of the file is told anywhere.
        var secret = JsonNode.Parse(text)!["secret"]!.GetValue<string>();
        _host.Run("config", "show").Expect(0).Output.ShouldNotContain(secret);
        foreach (var name in Objects()) File.ReadAllText(Path.Combine(_admin.PathOf("repository"), name)).ShouldNotContain(secret);
        _admin.Run("repository", "keys", "writer", "add", "again", "--file", _host.PathOf("writer.json")).Expect(2).Error.ShouldContain("exists already");
        _admin.Run("repository", "keys", "writer", "list", "--json").Expect(0).Json["writers"]!.AsArray()
            .Count(w => w!["removed_at"] is null).ShouldBe(1, "one whose file nobody has is let out again");
    }

    [Fact]
    public async Task It_archives_WAL_and_knows_what_it_has_archived_itself()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Settings = new Dictionary<string, string> { ["archive_mode"] = "on", ["archive_command"] = "false" },
        });
        Configure(more: $"postgres: {{ connection: env:PGCONNECTION, data_directory: {server.DataDirectory}, spool_directory: ./spool }}");
        _admin.WriteConfiguration($"    postgres: {{ connection: env:PGCONNECTION, data_directory: {server.DataDirectory} }}");
        _host.Environment["PGCONNECTION"] = _admin.Environment["PGCONNECTION"] = server.Uri;
        await server.ExecuteAsync("create table calls as select g as id from generate_series(1, 1000) g");
        _host.Run("backup", "run", "--type", "postgres").Expect(0);
        await server.ExecuteAsync("insert into calls values (1001)");
        var segment = await server.ScalarAsync<string>("select pg_walfile_name(pg_current_wal_insert_lsn())");
        await server.ExecuteAsync("select pg_switch_wal()");
        var file = Path.Combine(server.DataDirectory, "pg_wal", segment);
        _host.Run("--json", "wal", "push", file).Expect(0).Json["already_archived"]!.GetValue<bool>().ShouldBeFalse();
        _host.Run("--json", "wal", "push", file).Expect(0).Json["already_archived"]!.GetValue<bool>().ShouldBeTrue();
        _host.Run("wal", "fetch", segment, _host.PathOf("fetched"), "--data-directory", server.DataDirectory).ExitCode.ShouldBeGreaterThan(0);
        File.Exists(_host.PathOf("fetched")).ShouldBeFalse();
        Directory.Delete(_host.PathOf("spool"), recursive: true);
        _host.Run("wal", "push", file).Expect(1).Error.ShouldContain("cannot see whether with the same content");

        _admin.Run("wal", "fetch", segment, _admin.PathOf("fetched"), "--data-directory", server.DataDirectory).Expect(0);
        File.ReadAllBytes(_admin.PathOf("fetched")).ShouldBe(File.ReadAllBytes(file));
        var target = Path.Combine(server.Scratch, "restored");
        _admin.Run("restore", "postgres", "latest", "--target", target).Expect(0);
        await using var restored = await PostgresServer.AttachAsync(target);
        await restored.StartAgainAsync(waitForPromotion: true);
        (await restored.ScalarAsync<long>("select count(*) from calls")).ShouldBe(1001);
    }

    private void Configure(string keys = "keys: { writer: file:writer.json }", string more = "") => _host.Write("backup_config.yaml", $$"""
        backup_config:
          storage: { path: {{_admin.PathOf("repository")}} }
          {{keys}}
          components:
            voice_data: { paths: [./recordings] }
            {{more}}

        """);

    private string WriterId() =>
        _admin.Run("repository", "keys", "writer", "list", "--json").Expect(0).Json["writers"]![0]!["id"]!.GetValue<string>();

    private string[] Objects()
    {
        var root = _admin.PathOf("repository");
        return [.. Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(root, f)).Order(StringComparer.Ordinal)];
    }
}
