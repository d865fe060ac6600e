using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Pages;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

/// <summary>
/// Incremental backups that go by the LSNs of pages hold, page for page, what a reading of everything holds, whatever happened in between;
/// and they do not go by them where that would not be so (docs/decisions/page-lsns.md).
/// </summary>
public sealed class PageLsnBackupTests
{
    private const string ByLsn = "page-lsns";
    private const int PageSize = 8192;

    [Theory]
    [InlineData(15, 1)]
    [InlineData(17, 2)]
    public Task After_random_changes_every_page_is_as_read(int version, int seed) => RandomChangesAsync(version, seed, 4, 12);

    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    [Trait("Category", "Long")]
    public Task After_many_random_changes_every_page_is_as_read(int version) => RandomChangesAsync(version, 100 + version, 25, 30);

    private static async Task RandomChangesAsync(int version, int seed, int rounds, int changesPerRound)
    {
        await using var bench = await StartAsync(version);
        var changes = new RandomChanges(bench.Server, new Random(seed));
        await changes.PrepareAsync();
        await bench.DirectAsync();
        for (var round = 0; round < rounds; round++)
        {
            await changes.ApplyAsync(changesPerRound);
            var incremental = await bench.DirectAsync();
            MethodOf(incremental).ShouldBe(ByLsn, $"after {changes.Log}");
            incremental.Warnings.ShouldBeEmpty();
            await ShouldBeAsReadAsync(bench, incremental, changes.Log);
        }

        await changes.SettleAsync();
        var last = await bench.DirectAsync();
        MethodOf(last).ShouldBe(ByLsn);
        await ShouldBeAsReadAsync(bench, last, changes.Log);
        await bench.ShouldRestoreAsync(last, [.. changes.Queries]);
    }

    [Fact]
    public async Task Of_a_large_file_with_a_few_changes_little_is_stored_and_all_is_checked()
    {
        await using var bench = await StartAsync(15);
        await bench.Server.ExecuteAsync("create table big as select n, repeat(md5(n::text), 20) t from generate_series(1, 30000) n; create index on big (n)");
        await bench.Server.ExecuteAsync("vacuum freeze big");
        var full = await bench.DirectAsync();
        await bench.Server.ExecuteAsync("update big set t = 'x' where n % 10000 = 7");
        var file = $"pgdata/{await bench.Server.ScalarAsync<string>("select pg_relation_filepath('big')")}";

        var incremental = await bench.DirectAsync();

        MethodOf(incremental).ShouldBe(ByLsn);
        var (before, after) = ((await bench.CatalogAsync(full))[file], (await bench.CatalogAsync(incremental))[file]);
        var (old, now) = (await ItemsAsync(bench, before), await ItemsAsync(bench, after));
        now.Except(old).Count().ShouldBeInRange(1, 6);
        incremental.Statistics.NewBytes.ShouldBeLessThan(full.Statistics.NewBytes / 10);
        await ShouldBeAsReadAsync(bench, incremental, "updates");
    }

    /// <summary>The one way to put old LSNs of other pages at the same place: files copied under the OID of a dropped database.</summary>
    [Theory]
    [InlineData(15)]
    [InlineData(17)]
    public async Task A_database_made_anew_by_copying_files_is_not_taken_for_the_one_before(int version)
    {
        await using var bench = await StartAsync(version);
        await bench.Server.ExecuteAsync("create database one");
        await InAsync(bench.Server, "one", "create table t as select n, repeat('1', 300) t from generate_series(1, 9000) n");
        await bench.Server.ExecuteAsync("create database two template one strategy file_copy");
        await InAsync(bench.Server, "two", "update t set t = repeat('2', 300)");
        await InAsync(bench.Server, "two", "vacuum full t");
        await bench.Server.ExecuteAsync("drop database one");
        await bench.Server.ExecuteAsync("create database one template two strategy file_copy");
        await InAsync(bench.Server, "one", "update t set t = repeat('3', 300) where n <= 4500");
        foreach (var name in (string[])["one", "two"]) await InAsync(bench.Server, name, "vacuum freeze");
        await bench.Server.ExecuteAsync("create database same oid 300000 template one strategy file_copy");
        var full = await bench.DirectAsync();
        await bench.Server.ExecuteAsync("drop database same");
        await bench.Server.ExecuteAsync("create database same oid 300000 template two strategy file_copy");

        var incremental = await bench.DirectAsync();

        MethodOf(incremental).ShouldBe(ByLsn);
        await ShouldBeAsReadAsync(bench, incremental, "file copies");
        foreach (var (snapshot, threes) in ((Snapshot, long)[])[(full, 4500L), (incremental, 0L)])
        {
            await using var restored = await bench.RestoreAsync(snapshot);
            (await ScalarInAsync(restored, "same", "select count(*) from t where t = repeat('3', 300)")).ShouldBe(threes);
        }
    }

    [Fact]
    public async Task A_moved_database_comes_back_as_it_is()
    {
        await using var bench = await StartAsync(15);
        var location = await bench.Server.NewDirectoryAsync("space");
        await bench.Server.ExecuteAsync($"create tablespace space location '{location}'");
        await bench.Server.ExecuteAsync("create database moved");
        await InAsync(bench.Server, "moved", "create table t as select n, repeat('1', 300) t from generate_series(1, 9000) n");
        await bench.DirectAsync();
        await bench.Server.ExecuteAsync("alter database moved set tablespace space");
        await InAsync(bench.Server, "moved", "update t set t = repeat('2', 300) where n % 1000 = 0");
        await ShouldBeAsReadAsync(bench, await bench.DirectAsync(), "away");
        await bench.Server.ExecuteAsync("alter database moved set tablespace pg_default");

        var incremental = await bench.DirectAsync();

        MethodOf(incremental).ShouldBe(ByLsn);
        await ShouldBeAsReadAsync(bench, incremental, "back");
        await using var restored = await bench.RestoreAsync(incremental);
        (await ScalarInAsync(restored, "moved", "select count(*) from t where t = repeat('2', 300)")).ShouldBe(9);
    }

    [Fact]
    public async Task A_page_spoilt_since_is_told_of_and_stored_as_it_is()
    {
        await using var bench = await StartAsync(15);
        await bench.Server.ExecuteAsync("create table rows as select n, repeat('x', 500) t from generate_series(1, 2000) n");
        await bench.Server.ExecuteAsync("vacuum freeze rows");
        await bench.DirectAsync();
        var path = await bench.Server.ScalarAsync<string>("select pg_relation_filepath('rows')");
        await DirectBackupTests.FlipAsync(Path.Combine(bench.Server.DataDirectory, path), (9 * 8192) + 5000);

        var incremental = await bench.DirectAsync();

        MethodOf(incremental).ShouldBe(ByLsn);
        incremental.Warnings.ShouldHaveSingleItem().ShouldStartWith($"Relation file pgdata/{path} has a bad page: block 9 ");
        await ShouldBeAsReadAsync(bench, incremental, "a flipped bit");
    }

    [Fact]
    public async Task After_a_restart_LSNs_are_not_relied_on()
    {
        await using var bench = await StartAsync(15);
        await bench.DirectAsync();
        await bench.Server.RestartAsync();
        MethodOf(await bench.DirectAsync()).ShouldBe("modification-times");
        MethodOf(await bench.DirectAsync()).ShouldBe(ByLsn);
    }

    /// <summary>A machine put back to a snapshot, server running, shows by the slots' directory: the parent's slot was not there yet.</summary>
    [Fact]
    public async Task Where_the_parents_trace_is_not_found_LSNs_are_not_relied_on()
    {
        await using var bench = await StartAsync(15);
        await bench.DirectAsync();
        await bench.Server.ExecuteAsync("select pg_create_physical_replication_slot('other')");
        MethodOf(await bench.DirectAsync()).ShouldBe("modification-times");
        MethodOf(await bench.DirectAsync()).ShouldBe(ByLsn);
    }

    /// <summary>Vacuum then marks pages all-visible without a new LSN; the visibility map would vouch for pages that do not know of it.</summary>
    [Theory]
    [InlineData(false, "modification-times")]
    [InlineData(true, ByLsn)]
    public async Task Where_hint_bits_are_not_logged_LSNs_are_not_relied_on(bool logged, string method)
    {
        await using var bench = await BackupBench.StartAsync(new PostgresServerOptions
        {
            Checksums = false,
            Settings = new Dictionary<string, string> { ["autovacuum"] = "off", ["wal_log_hints"] = logged ? "on" : "off" },
        });
        await bench.Server.ExecuteAsync("create table rows as select n, repeat('x', 500) t from generate_series(1, 4000) n");
        await bench.DirectAsync();
        await bench.Server.ExecuteAsync("vacuum rows");
        var incremental = await bench.DirectAsync();
        MethodOf(incremental).ShouldBe(method);
        await ShouldBeAsReadAsync(bench, incremental, "vacuum");
        await using var restored = await bench.RestoreAsync(incremental);
        await restored.ExecuteAsync("create extension pg_visibility");
        (await restored.ScalarAsync<long>("select count(*) from pg_check_visible('rows')")).ShouldBe(0);
        (await restored.ScalarAsync<long>("select count(*) from pg_visibility('rows') where all_visible and not pd_all_visible")).ShouldBe(0);
    }

    private static Task<BackupBench> StartAsync(int version) => BackupBench.StartAsync(new PostgresServerOptions
    {
        Version = version,
        WalSegmentMegabytes = 1,
        Settings = new Dictionary<string, string> { ["autovacuum"] = "off" },
    });

    /// <summary>
    /// Reads the server's files, and compares with the incremental backup page for page: those not changed since it began must be the same
    /// bytes in both.
    /// </summary>
    private static async Task ShouldBeAsReadAsync(BackupBench bench, Snapshot incremental, string after)
    {
        await bench.Server.ExecuteAsync("checkpoint");
        var start = Lsn.Parse(PostgresBackupDetails.FromJson(incremental.Details).StartLsn);
        var compared = 0;
        foreach (var (path, entry) in await bench.CatalogAsync(incremental))
        {
            if (entry.Kind != EntryKind.File || !RelationFile.TryParse(path, out var relation) || relation.Fork != RelationFork.Main) continue;
            var expected = await File.ReadAllBytesAsync(Path.Combine(bench.Server.DataDirectory, PageRecheck.RelativePath(path)));
            var found = await bench.ReadAsync(entry);
            for (var at = 0; at < expected.Length; at += PageSize)
            {
                var page = expected.AsSpan(at, PageSize);
                if (PageHeader.Read(page).Lsn >= start) continue;
                compared++;
                if (at + PageSize > found.Length || !page.SequenceEqual(found.AsSpan(at, PageSize)))
                    Assert.Fail($"Block {at / PageSize} of {path} differs, LSN {PageHeader.Read(page).Lsn}, backup from {start}, after {after}");
            }
        }

        compared.ShouldBeGreaterThan(1000);
    }

    private static async Task<List<string>> ItemsAsync(BackupBench bench, CatalogEntry entry)
    {
        var items = new List<string>();
        await foreach (var item in bench.Repository.ReadItemsAsync(entry.Content!, CancellationToken.None)) items.Add(item.ToString());
        return items;
    }

    private static string? MethodOf(Snapshot snapshot) => PostgresBackupDetails.FromJson(snapshot.Details).IncrementalMethod;

    private static async Task InAsync(PostgresServer server, string database, string sql)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(server.ConnectionString.Replace("Database=postgres", $"Database={database};Pooling=false"));
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<long> ScalarInAsync(PostgresServer server, string database, string sql)
    {
        await using var source = Npgsql.NpgsqlDataSource.Create(server.ConnectionString.Replace("Database=postgres", $"Database={database};Pooling=false"));
        await using var command = source.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
