using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>A real database by the command line alone: backup, WAL, plan, restore, status, verification.</summary>
public sealed class PostgresTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public async Task The_whole_way_of_a_database()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Settings = new Dictionary<string, string> { ["archive_mode"] = "on", ["archive_command"] = "false" },
        });
        _fbackup.WriteConfiguration($"    postgres: {{ connection: env:PGCONNECTION, data_directory: {server.DataDirectory} }}");
        _fbackup.Environment["PGCONNECTION"] = server.Uri;
        _fbackup.Environment["XDG_STATE_HOME"] = _fbackup.PathOf("state");
        _fbackup.Run("init", "--yes").Expect(0);
        await server.ExecuteAsync("create table calls as select g as id from generate_series(1, 1000) g");
        _fbackup.Run("backup", "run", "--type", "postgres").Expect(0);

        await server.ExecuteAsync("insert into calls values (1001)");
        var segment = await server.ScalarAsync<string>("select pg_walfile_name(pg_current_wal_insert_lsn())");
        await server.ExecuteAsync("select pg_switch_wal()");
        var file = Path.Combine(server.DataDirectory, "pg_wal", segment);
        _fbackup.Run("--json", "wal", "push", file).Expect(0).Json["already_archived"]!.GetValue<bool>().ShouldBeFalse();
        _fbackup.Run("--json", "wal", "push", file).Expect(0).Json["already_archived"]!.GetValue<bool>().ShouldBeTrue();
        _fbackup.Run("wal", "push", file).Expect(0).Output.ShouldBeEmpty();

        var fetched = _fbackup.PathOf("fetched");
        _fbackup.Run("wal", "fetch", segment, fetched, "--data-directory", server.DataDirectory).Expect(0);
        File.ReadAllBytes(fetched).ShouldBe(File.ReadAllBytes(file));
        _fbackup.Run(
            "wal", "fetch", "0000000100000000000000FF", fetched, "--data-directory", server.DataDirectory, "--stop-on-failure").Expect(4);
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = "wrong";
        _fbackup.Run("wal", "fetch", "0000000100000000000000FF", fetched, "--data-directory", server.DataDirectory).Expect(2);
        _fbackup.Run(
            "wal", "fetch", "0000000100000000000000FF", fetched, "--data-directory", server.DataDirectory, "--stop-on-failure").Expect(255);
        _fbackup.Environment["FBACKUP_PASSPHRASE"] = Fbackup.Passphrase;

        _fbackup.Run("status", "--type", "postgres").ExitCode.ShouldBe(2);
        var status = _fbackup.Run("status", "--json").Json["components"]!.AsArray().Single(
            c => c!["component"]!.GetValue<string>() == "postgres")!;
        status["within_rpo"]!.GetValue<bool>().ShouldBeTrue();

        var target = Path.Combine(server.Scratch, "restored");
        var plan = _fbackup.Run("restore", "postgres", "latest", "--target", target, "--plan", "--json").Expect(0).Json;
        plan["meets_objective"]!.GetValue<bool>().ShouldBeTrue();
        Directory.Exists(target).ShouldBeFalse();
        _fbackup.Run("restore", "postgres", "latest", "--target", target, "--to-time", "2001-01-01T00:00:00Z").Expect(1).Error
            .ShouldContain("lies before the end of the base backup");
        _fbackup.Run("restore", "postgres", "latest", "--target", target).Expect(0);
        await using var restored = await PostgresServer.AttachAsync(target);
        await restored.StartAgainAsync(waitForPromotion: true);
        (await restored.ScalarAsync<long>("select count(*) from calls")).ShouldBe(1001);

        _fbackup.Run("backup", "verify", "--level", "full").Expect(0);
    }
}
