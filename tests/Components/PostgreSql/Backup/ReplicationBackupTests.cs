using System.Text;
using FunctionsBackup.Components;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

public sealed class ReplicationBackupTests
{
    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    public async Task A_streamed_backup_restores_with_tablespaces(int version)
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
            """);

        var snapshot = await bench.ReplicationAsync();

        snapshot.Kind.ShouldBe("full");
        snapshot.Warnings.ShouldBeEmpty();
        var details = PostgresBackupDetails.FromJson(snapshot.Details);
        details.Mode.ShouldBe("replication");
        details.Tablespaces.ShouldHaveSingleItem().Location.ShouldBe(location);
        details.StopTime.ShouldBeInRange(DateTimeOffset.UtcNow.AddMinutes(-1), DateTimeOffset.UtcNow.AddSeconds(5));
        var catalog = await bench.CatalogAsync(snapshot);
        Encoding.UTF8.GetString(await bench.ReadAsync(catalog["pgdata/backup_manifest"])).ShouldContain("PostgreSQL-Backup-Manifest-Version");
        catalog["pgdata"].Mode.ShouldBe(Convert.ToUInt32("700", 8));
        catalog.ShouldContainKey("pg_tblspc");
        (await server.ScalarAsync<long>("select count(*) from pg_replication_slots")).ShouldBe(0);
        await bench.ShouldRestoreAsync(
            snapshot, "select count(*), sum(n), md5(string_agg(t, '' order by n)) from rows", "select count(*), sum(n) from far");
    }

    [Fact]
    public async Task Both_modes_store_the_same_bytes_of_a_quiet_cluster()
    {
        await using var bench = await BackupBench.StartAsync(new PostgresServerOptions
        {
            Settings = new Dictionary<string, string> { ["autovacuum"] = "off" },
        });
        await bench.Server.ExecuteAsync("create table rows as select n, md5(n::text) t from generate_series(1, 10000) n");
        await bench.Server.ExecuteAsync("vacuum rows");
        var direct = await bench.CatalogAsync(await bench.DirectAsync(full: true));
        var streamed = await bench.CatalogAsync(await bench.ReplicationAsync(full: true));
        string[] own = ["pgdata/backup_label", "pgdata/backup_manifest", "pgdata/global/pg_control"];
        streamed.Keys.Except(own).Except(direct.Keys).ShouldBeEmpty();
        direct.Keys.Except(own).Except(streamed.Keys).ShouldBeEmpty();
        foreach (var (path, entry) in direct)
        {
            if (own.Contains(path)) continue;
            entry.Mode.ShouldBe(streamed[path].Mode, path);
            entry.UserId.ShouldBe(streamed[path].UserId, path);
            if (entry.Content is null || path.Contains("pg_xact") || path.Contains("pg_logical")) continue;
            streamed[path].Content!.Items.ShouldBe(entry.Content.Items, path);
        }
    }

    [Fact]
    public async Task Under_load_no_page_is_called_bad_and_what_was_committed_before_is_there()
    {
        await using var bench = await BackupBench.StartAsync(new PostgresServerOptions
        {
            WalSegmentMegabytes = 1,
            Settings = new Dictionary<string, string> { ["shared_buffers"] = "1MB" },
        });
        await bench.Server.ExecuteAsync("create table busy as select n, repeat('b', 400) t from generate_series(1, 20000) n");
        using var stop = new CancellationTokenSource();
        var writer = Task.Run(async () =>
        {
            for (var i = 0; !stop.IsCancellationRequested; i++)
                await bench.Server.ExecuteAsync($"update busy set t = reverse(t) where n % 20 = {i % 20}; insert into busy values (100000 + {i}, 'new')");
        });
        var before = await bench.Server.ScalarAsync<long>("select count(*) from busy");
        var snapshot = await bench.ReplicationAsync();
        await stop.CancelAsync();
        await writer;
        snapshot.Warnings.ShouldBeEmpty();
        await using var restored = await bench.RestoreAsync(snapshot);
        (await restored.ScalarAsync<long>("select count(*) from busy")).ShouldBeGreaterThanOrEqualTo(before);
    }

    [Fact]
    public async Task A_backup_that_is_cancelled_or_cannot_store_leaves_nothing_on_the_server()
    {
        var store = new FaultyObjectStore(new InMemoryObjectStore());
        await using var bench = BackupBench.On(await PostgresServer.StartAsync(), await TestRepository.CreateAsync(store));
        await bench.Server.ExecuteAsync("create table rows as select n, md5(random()::text) || md5(random()::text) t from generate_series(1, 300000) n");
        using var cancel = new CancellationTokenSource();
        var options = new PostgresBackupOptions(bench.Server.ConnectionString) { Mode = PostgresBackupMode.Replication };
        var backup = new PostgresBackup(bench.Repository, TimeProvider.System);
        await Should.ThrowAsync<OperationCanceledException>(async () => await backup.RunAsync(options, new CancelAfterFiles(50, cancel), cancel.Token));

        store.FillUpAfter(1 << 20);
        await Should.ThrowAsync<StoreFullException>(async () => await backup.RunAsync(options, null, CancellationToken.None));

        // The server ends its side when it next writes to the closed connection.
        const string Left = "select count(*) from (select 1 from pg_replication_slots union all select 1 from pg_stat_replication) x";
        while (await bench.Server.ScalarAsync<long>(Left) > 0) await Task.Yield();
        await foreach (var snapshot in bench.Repository.ListSnapshotsAsync(null, CancellationToken.None)) snapshot.ShouldBeNull();
    }

    /// <summary>Cancels in the middle, however fast the machine is.</summary>
    private sealed class CancelAfterFiles(long files, CancellationTokenSource cancel) : IProgress<WorkProgress>
    {
        public void Report(WorkProgress value)
        {
            if (value.FilesDone == files) cancel.Cancel();
        }
    }
}
