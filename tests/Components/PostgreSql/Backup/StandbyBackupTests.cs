using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Backup;

public sealed class StandbyBackupTests
{
    /// <summary>A standby cannot switch to a new WAL segment at the end, so the last one is archived as far as it goes.</summary>
    [Theory]
    [InlineData(PostgresBackupMode.Direct)]
    [InlineData(PostgresBackupMode.Replication)]
    public async Task A_standby_can_be_backed_up(PostgresBackupMode mode)
    {
        await using var primary = await PostgresServer.StartAsync();
        await primary.ExecuteAsync("create table rows as select n from generate_series(1, 10000) n");
        var copy = Path.Combine(primary.Scratch, "standby");
        await primary.ToolAsync(
            "pg_basebackup", CancellationToken.None, "-h", "127.0.0.1", "-p", primary.Port.ToString(), "-U", "postgres", "-D", copy, "-R", "-c", "fast");
        await using var standby = await PostgresServer.AttachAsync(copy, primary.Options);
        await standby.StartAgainAsync();
        await primary.ExecuteAsync("insert into rows select generate_series(10001, 12000); checkpoint");
        var position = await primary.ScalarAsync<string>("select pg_current_wal_lsn()::text");
        while (!await standby.ScalarAsync<bool>($"select pg_last_wal_replay_lsn() >= '{position}'")) await Task.Yield();

        await using var bench = BackupBench.On(standby, await TestRepository.CreateAsync());
        var options = new PostgresBackupOptions(standby.ConnectionString) { DataDirectory = standby.DataDirectory, Mode = mode };
        var snapshot = await bench.RunAsync(options);

        snapshot.Warnings.ShouldBeEmpty();
        var details = PostgresBackupDetails.FromJson(snapshot.Details);
        details.FromStandby.ShouldBeTrue();
        await using var restored = await bench.RestoreAsync(snapshot);
        (await restored.QueryAsync("select count(*), sum(n) from rows")).ShouldBe(["12000|72006000"]);

        var again = await bench.RunAsync(options);
        again.Kind.ShouldBe("incremental");
        await using var restoredAgain = await bench.RestoreAsync(again);
        (await restoredAgain.QueryAsync("select count(*), sum(n) from rows")).ShouldBe(["12000|72006000"]);
    }
}
