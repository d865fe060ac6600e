using System.Globalization;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>Everything as of one moment.</summary>
public sealed class SiteRestoreTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public async Task A_database_and_files_come_back_as_of_one_moment_and_the_skew_is_said()
    {
        await using var server = await PostgresServer.StartAsync(new PostgresServerOptions
        {
            Settings = new Dictionary<string, string> { ["archive_mode"] = "on", ["archive_command"] = "false" },
        });
        _fbackup.WriteConfiguration(
            $"    postgres: {{ connection: env:PGCONNECTION, data_directory: {server.DataDirectory} }}\n    configuration: {{ paths: [./config] }}");
        _fbackup.Environment["PGCONNECTION"] = server.Uri;
        _fbackup.Write("recordings/one.wav", "one");
        _fbackup.Write("config/app.yaml", "a: 1");
        _fbackup.Run("init", "--yes").Expect(0);
        _fbackup.Run("restore", "all", "--target", "site", "--plan").Expect(4);
        _fbackup.Run("restore", "all", "--target", "site").Expect(4).Error.ShouldContain("no recovery point");
        await server.ExecuteAsync("create table calls as select g as id from generate_series(1, 1000) g");
        _fbackup.Run("backup", "run").Expect(0);

        await server.ExecuteAsync("insert into calls values (1001)");
        await Task.Delay(300);
        var moment = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        await Task.Delay(300);
        await server.ExecuteAsync("insert into calls values (1002)");
        _fbackup.Write("recordings/two.wav", "two");
        _fbackup.Run("backup", "run", "--type", "voice_data").Expect(0);
        var segment = await server.ScalarAsync<string>("select pg_walfile_name(pg_current_wal_insert_lsn())");
        await server.ExecuteAsync("select pg_switch_wal()");
        _fbackup.Run("wal", "push", Path.Combine(server.DataDirectory, "pg_wal", segment)).Expect(0);

        var plan = _fbackup.Run("restore", "all", "--target", "site", "--to-time", moment, "--plan", "--json").Expect(0).Json;
        var states = plan["components"]!.AsArray().ToDictionary(c => c!["component"]!.GetValue<string>(), c => c!);
        states.Keys.ShouldBe(["postgres", "voice_data", "configuration"], ignoreOrder: true);
        states["postgres"]["replays"]!.GetValue<bool>().ShouldBeTrue();
        states["postgres"]["behind_seconds"]!.GetValue<double>().ShouldBe(0);
        states["voice_data"]["behind_seconds"]!.GetValue<double>().ShouldBeGreaterThan(0.2);
        plan["skew_seconds"]!.GetValue<double>().ShouldBeGreaterThan(0.2);
        Directory.Exists(_fbackup.PathOf("site")).ShouldBeFalse();
        _fbackup.Run("restore", "all", "--target", "site", "--to-time", moment, "--plan").Expect(0).Output.ShouldContain("apart.");

        var site = Path.Combine(server.Scratch, "site");
        var restored = _fbackup.Run("restore", "all", "--target", site, "--to-time", moment, "--json").Expect(0).Events[^1];
        restored["components"]!.AsArray().Count.ShouldBe(3);
        File.Exists(Path.Combine(site, "voice_data/recordings/one.wav")).ShouldBeTrue();
        File.Exists(Path.Combine(site, "voice_data/recordings/two.wav")).ShouldBeFalse();
        File.ReadAllText(Path.Combine(site, "configuration/config/app.yaml")).ShouldBe("a: 1");
        await using var copy = await PostgresServer.AttachAsync(Path.Combine(site, "postgres"));
        await copy.StartAgainAsync(waitForPromotion: true);
        (await copy.ScalarAsync<long>("select max(id) from calls")).ShouldBe(1001);

        // What stands in the way of one component does not stop the others.
        var again = _fbackup.Run("restore", "all", "--target", site, "--to-time", moment);
        again.ExitCode.ShouldBe(1);
        again.Error.ShouldContain("postgres: ");
        var newest = Path.Combine(server.Scratch, "newest");
        _fbackup.Run("restore", "all", "--target", newest).Expect(0);
        File.Exists(Path.Combine(newest, "voice_data/recordings/two.wav")).ShouldBeTrue();
        _fbackup.Run("restore", "all", "--target", newest, "--to-time", "2001-01-01T00:00:00Z", "--plan").Expect(4).Error.ShouldContain("choose that time or a later one");
        _fbackup.Run("restore", "all", "--target", newest, "--to-lsn", "0/1").Expect(2).Error.ShouldContain("has no meaning for all");
        _fbackup.Run("restore", "all", "20260101T000000Z", "--target", newest).Expect(2).Error.ShouldContain("--to-time");
    }
}
