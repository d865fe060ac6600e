using System.Text;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

public sealed class DirectBackupTests
{
    private const string Sum = "select count(*), sum(n), md5(string_agg(t, '' order by n)) from rows";

    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    public async Task A_full_backup_under_load_restores_with_tablespaces_and_without_what_the_server_throws_away(int version)
    {
        await using var bench = await BackupBench.StartAsync(new PostgresServerOptions { Version = version, WalSegmentMegabytes = 1 });
        var server = bench.Server;
        var location = await server.NewDirectoryAsync("space");
        await server.ExecuteAsync($"create tablespace space location '{location}'");
        await server.ExecuteAsync("""
            create table rows as select n, repeat(md5(n::text), 8) t from generate_series(1, 20000) n;
            create index on rows (n);
            create table far (n int primary key) tablespace space;
            insert into far select generate_series(1, 5000);
            create unlogged table lost as select generate_series(1, 1000) n;
            """);
        var lost = await server.ScalarAsync<string>("select pg_relation_filepath('lost')");
        using var stop = new CancellationTokenSource();
        var writer = WriteAsync(server, stop.Token);

        var snapshot = await bench.DirectAsync();

        await stop.CancelAsync();
        await writer;
        snapshot.Kind.ShouldBe("full");
        snapshot.Warnings.ShouldBeEmpty();
        var details = PostgresBackupDetails.FromJson(snapshot.Details);
        details.Mode.ShouldBe("direct");
        details.ServerVersion.ShouldBeInRange(version * 10000, (version * 10000) + 9999);
        details.Tablespaces.ShouldHaveSingleItem().Location.ShouldBe(location);
        Lsn.Parse(details.StopLsn).ShouldBeGreaterThan(Lsn.Parse(details.StartLsn));
        var catalog = await bench.CatalogAsync(snapshot);
        catalog.ShouldContainKey("pgdata/backup_label");
        catalog.ShouldContainKey("pgdata/tablespace_map");
        catalog.ShouldContainKey("pgdata/global/pg_control");
        catalog.ShouldContainKey($"pgdata/{lost}_init");
        catalog.ShouldNotContainKey($"pgdata/{lost}");
        catalog.ShouldNotContainKey("pgdata/postmaster.pid");
        catalog.Keys.ShouldNotContain(path => path.StartsWith("pgdata/pg_wal/0") || path.StartsWith("pgdata/pg_tblspc/"));
        Encoding.UTF8.GetString(await bench.ReadAsync(catalog["pgdata/backup_label"])).ShouldContain($"START WAL LOCATION: {details.StartLsn} ");
        (await server.ScalarAsync<long>("select count(*) from pg_replication_slots")).ShouldBe(0);
        await bench.ShouldRestoreAsync(snapshot, Sum, "select count(*), sum(n) from far", "select count(*) from lost where false");
    }

    [Fact]
    public async Task A_bad_page_is_a_warning_that_names_file_and_block_and_is_told_again_while_it_is_there()
    {
        await using var bench = await BackupBench.StartAsync();
        var server = bench.Server;
        await server.ExecuteAsync("create table rows as select n, repeat('x', 500) t from generate_series(1, 2000) n");
        var file = await server.ScalarAsync<string>("select pg_relation_filepath('rows')");
        await server.StopAsync();
        foreach (var block in (int[])[3, 4, 17])
            await FlipAsync(Path.Combine(server.DataDirectory, file), (block * 8192) + 5000);
        await server.StartAgainAsync();

        var first = await bench.DirectAsync();
        var again = await bench.DirectAsync();

        var warning = first.Warnings.ShouldHaveSingleItem();
        warning.ShouldStartWith($"Relation file pgdata/{file} has 3 bad pages: block 3–4, 17 (checksum of block 3: the page says ");
        again.Kind.ShouldBe("incremental");
        again.Warnings.ShouldBe(first.Warnings);
        var streamed = await bench.ReplicationAsync(full: true);
        streamed.Warnings.ShouldHaveSingleItem().ShouldStartWith($"Relation file pgdata/{file} has 3 bad pages: block 3–4, 17 ");
    }

    [Fact]
    public async Task Without_slots_a_backup_works_and_says_what_was_risked()
    {
        await using var bench = await BackupBench.StartAsync(new PostgresServerOptions
        {
            Settings = new Dictionary<string, string> { ["max_replication_slots"] = "0" },
        });
        var snapshot = await bench.DirectAsync();
        snapshot.Warnings.ShouldHaveSingleItem().ShouldContain("max_replication_slots");
        await bench.ShouldRestoreAsync(snapshot, "select 1");
    }

    [Fact]
    public async Task Another_servers_directory_is_refused()
    {
        await using var bench = await BackupBench.StartAsync();
        await using var other = await PostgresServer.StartAsync();
        var options = new PostgresBackupOptions(other.ConnectionString) { DataDirectory = bench.Server.DataDirectory, Mode = PostgresBackupMode.Direct };
        var error = await Should.ThrowAsync<PostgresBackupException>(() => bench.RunAsync(options));
        error.Message.ShouldContain("is not the data directory of the server");
    }

    [Fact]
    public async Task A_backup_that_fails_leaves_neither_backup_state_nor_slot_nor_snapshot()
    {
        await using var bench = await BackupBench.StartAsync();
        using var cancel = new CancellationTokenSource();
        var options = new PostgresBackupOptions(bench.Server.ConnectionString) { DataDirectory = bench.Server.DataDirectory };
        var progress = new CancelAt(cancel);
        await Should.ThrowAsync<OperationCanceledException>(async () => await new PostgresBackup(bench.Repository, TimeProvider.System)
            .RunAsync(options, progress, cancel.Token));

        (await bench.Server.ScalarAsync<long>("select count(*) from pg_replication_slots")).ShouldBe(0);
        // Only the session's end releases it; a switchover of the server would otherwise wait.
        (await bench.Server.ScalarAsync<long>("select count(*) from pg_stat_activity where application_name = 'fbackup'")).ShouldBe(0);
        await foreach (var snapshot in bench.Repository.ListSnapshotsAsync(null, CancellationToken.None)) snapshot.ShouldBeNull();
    }

    [Fact]
    public void A_torn_control_file_is_not_taken()
    {
        var bytes = new byte[ControlFile.FileSize];
        ControlFile.Read(bytes).ShouldBeNull();
        ControlFile.Read(bytes.AsSpan(0, 100)).ShouldBeNull();
    }

    internal static async Task FlipAsync(string path, long offset)
    {
        await using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite);
        file.Position = offset;
        var value = (byte)file.ReadByte();
        file.Position = offset;
        file.WriteByte((byte)(value ^ 0x40));
    }

    private static async Task WriteAsync(PostgresServer server, CancellationToken cancellationToken)
    {
        await server.ExecuteAsync("create table busy (n int primary key, t text)", CancellationToken.None);
        for (var i = 0; !cancellationToken.IsCancellationRequested; i += 200)
        {
            await server.ExecuteAsync(
                $"insert into busy select n, repeat('b', 300) from generate_series({i}, {i + 199}) n; update busy set t = t || 'c' where n % 7 = 0",
                CancellationToken.None);
        }
    }

    private sealed class CancelAt(CancellationTokenSource source) : IProgress<FunctionsBackup.Components.WorkProgress>
    {
        public void Report(FunctionsBackup.Components.WorkProgress value)
        {
            if (value.FilesDone == 100) source.Cancel();
        }
    }
}
