using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

/// <summary>Incremental backups read and store little, and restore alone to exactly what the server had.</summary>
public sealed class IncrementalBackupTests
{
    private static readonly string[] Queries =
    [
        "select count(*), sum(n), md5(string_agg(t, '' order by n)) from big",
        "select count(*), sum(n), md5(string_agg(t, '' order by n)) from small",
        "select count(*), sum(n) from shrunk",
        "select count(*), sum(n) from renewed",
    ];

    [Theory]
    [InlineData(15, false, "page-lsns")]
    [InlineData(17, false, "page-lsns")]
    [InlineData(17, true, "wal-summaries")]
    public async Task Beside_the_server(int version, bool summaries, string method)
    {
        await using var bench = await StartAsync(version, summaries);
        await bench.Server.ExecuteAsync("vacuum freeze");
        await AgeFilesAsync(bench.Server);
        var full = await bench.DirectAsync();
        await ChangeAsync(bench.Server, summaries);
        await AgeFilesAsync(bench.Server);
        var incremental = await bench.DirectAsync();

        incremental.Kind.ShouldBe("incremental");
        incremental.Parent.ShouldBe(full.Id);
        incremental.Warnings.ShouldBeEmpty();
        PostgresBackupDetails.FromJson(incremental.Details).IncrementalMethod.ShouldBe(method);
        incremental.Statistics.ReadBytes.ShouldBeLessThan(full.Statistics.ReadBytes / 2);
        incremental.Statistics.NewBytes.ShouldBeLessThan(full.Statistics.NewBytes / 2);
        await bench.ShouldRestoreAsync(incremental, Queries);
        await bench.ShouldRestoreAsync(full, "select 1");

        // Again, with nothing changed but what backups themselves change.
        var idle = await bench.DirectAsync();
        // An idle summarizer may sleep for half a minute; then the backup goes by modification times, and reads what was written just now.
        if (PostgresBackupDetails.FromJson(idle.Details).IncrementalMethod == method)
            idle.Statistics.ReadBytes.ShouldBeLessThan(full.Statistics.ReadBytes / 4);
        await bench.ShouldRestoreAsync(idle, Queries);
    }

    [Theory]
    [InlineData(15, false, "all-read")]
    [InlineData(17, false, "all-read")]
    [InlineData(17, true, "server")]
    public async Task Over_the_replication_protocol(int version, bool summaries, string method)
    {
        await using var bench = await StartAsync(version, summaries);
        var full = await bench.ReplicationAsync();
        await ChangeAsync(bench.Server, summaries);
        var incremental = await bench.ReplicationAsync();

        incremental.Kind.ShouldBe("incremental");
        incremental.Warnings.ShouldBeEmpty();
        PostgresBackupDetails.FromJson(incremental.Details).IncrementalMethod.ShouldBe(method);
        incremental.Statistics.NewBytes.ShouldBeLessThan(full.Statistics.NewBytes / 2);
        if (summaries) incremental.Statistics.ReadBytes.ShouldBeLessThan(full.Statistics.ReadBytes / 2);
        (await bench.CatalogAsync(incremental)).Keys.ShouldNotContain(path => path.Contains("INCREMENTAL"));
        await bench.ShouldRestoreAsync(incremental, Queries);
    }

    [Fact]
    public async Task Modes_may_take_turns()
    {
        await using var bench = await StartAsync(17, true);
        await bench.DirectAsync();
        await ChangeAsync(bench.Server, true);
        var streamed = await bench.ReplicationAsync();
        PostgresBackupDetails.FromJson(streamed.Details).IncrementalMethod.ShouldBe("server");
        await bench.ShouldRestoreAsync(streamed, Queries);
        await bench.Server.ExecuteAsync("update big set t = t || 'z' where n % 500 = 1; checkpoint");
        var direct = await bench.DirectAsync();
        PostgresBackupDetails.FromJson(direct.Details).IncrementalMethod.ShouldBe("wal-summaries");
        await bench.ShouldRestoreAsync(direct, Queries);
    }

    [Fact]
    public async Task Asked_for_all_it_takes_all()
    {
        await using var bench = await StartAsync(15, false);
        var first = await bench.DirectAsync();
        var second = await bench.DirectAsync(full: true);
        second.Kind.ShouldBe("full");
        second.Parent.ShouldBeNull();
        second.Statistics.ReadBytes.ShouldBeGreaterThan(first.Statistics.ReadBytes / 2);
    }

    [Fact]
    public async Task Where_summaries_are_missing_it_falls_back_and_says_so()
    {
        await using var bench = await StartAsync(17, false);
        await bench.DirectAsync();
        await ChangeAsync(bench.Server, true);
        // The WAL of these changes is gone before summaries are switched on, so that none can be made of it.
        for (var i = 0; i < 8; i++) await bench.Server.ExecuteAsync("select pg_switch_wal(); checkpoint");
        await bench.Server.ConfigureAsync(new Dictionary<string, string> { ["summarize_wal"] = "on" });
        await bench.Server.RestartAsync();

        var direct = await bench.DirectAsync();
        PostgresBackupDetails.FromJson(direct.Details).IncrementalMethod.ShouldBe("modification-times");
        await bench.ShouldRestoreAsync(direct, Queries);
    }

    [Fact]
    public async Task On_another_timeline_everything_is_read()
    {
        await using var bench = await StartAsync(15, false);
        var first = await bench.DirectAsync();
        await using var restored = await bench.RestoreAsync(first);
        await restored.ExecuteAsync("update small set t = 'on another timeline'");
        await using var second = BackupBench.On(restored, bench.Repository);

        foreach (var mode in (PostgresBackupMode[])[PostgresBackupMode.Direct, PostgresBackupMode.Replication])
        {
            var snapshot = await second.RunAsync(new PostgresBackupOptions(restored.ConnectionString) { DataDirectory = restored.DataDirectory, Mode = mode });
            var details = PostgresBackupDetails.FromJson(snapshot.Details);
            details.Timeline.ShouldBe(2u);
            details.IncrementalMethod.ShouldBe("all-read");
            snapshot.Statistics.NewBytes.ShouldBeLessThan(first.Statistics.NewBytes / 2);
            var archive = new WalArchive(bench.Repository, details.SystemIdentifier);
            (await archive.FetchAsync("00000002.history", CancellationToken.None)).ShouldNotBeNull();
            await second.ShouldRestoreAsync(snapshot, Queries);
        }
    }

    /// <summary>
    /// What was written shortly before a backup began counts as possibly written while it ran, and how shortly depends on how quick the
    /// machine is: the server answers, and is asked when the control file was written, some time after the checkpoint. So nothing is left for
    /// the backup's own checkpoint to write, and what was written just now gets an older time.
    /// </summary>
    private static async Task AgeFilesAsync(PostgresServer server)
    {
        await server.ExecuteAsync("checkpoint");
        var past = DateTime.UtcNow.AddHours(-1);
        foreach (var file in Directory.EnumerateFiles(Path.Combine(server.DataDirectory, "base"), "*", SearchOption.AllDirectories))
            if (File.GetLastWriteTimeUtc(file) > past.AddMinutes(30)) File.SetLastWriteTimeUtc(file, past);
    }

    private static async Task<BackupBench> StartAsync(int version, bool summaries)
    {
        var settings = new Dictionary<string, string> { ["autovacuum"] = "off" };
        if (summaries) settings["summarize_wal"] = "on";
        var bench = await BackupBench.StartAsync(new PostgresServerOptions { Version = version, WalSegmentMegabytes = 1, Settings = settings });
        await bench.Server.ExecuteAsync("""
            create table big as select n, repeat(md5(n::text), 20) t from generate_series(1, 60000) n;
            create index on big (n);
            create table small as select n, n::text t from generate_series(1, 100) n;
            create table shrunk as select n, repeat('s', 500) t from generate_series(1, 5000) n;
            create table renewed as select n from generate_series(1, 5000) n;
            create table dropped as select n from generate_series(1, 5000) n;
            """);
        await bench.Server.ExecuteAsync("vacuum analyze");
        await bench.Server.ExecuteAsync("checkpoint");
        return bench;
    }

    /// <summary>Some rows changed, a file cut and extended again, one made anew, one dropped, one new, one in another database.</summary>
    private static async Task ChangeAsync(PostgresServer server, bool summaries)
    {
        await server.ExecuteAsync("""
            update small set t = t || 'x' where n < 10;
            delete from shrunk where n > 1000;
            truncate renewed;
            insert into renewed select generate_series(1, 300);
            drop table dropped;
            create table fresh as select n, repeat('f', 100) t from generate_series(1, 1000) n;
            """);
        await server.ExecuteAsync("vacuum shrunk");
        await server.ExecuteAsync("insert into shrunk select n, 'again' from generate_series(10000, 12000) n");
        await server.ExecuteAsync("create database other");
        // With summaries, a few blocks of a large file are no reason to read the rest.
        if (summaries) await server.ExecuteAsync("update big set t = t || 'y' where n between 30000 and 30020");
    }
}
