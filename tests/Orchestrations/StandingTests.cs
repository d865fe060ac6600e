using FunctionsBackup.Components.PostgreSql.Backup;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Standing;
using FunctionsBackup.Repository;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations;

/// <summary>What the loss of a database would cost, a day after its last transaction.</summary>
public sealed class StandingTests
{
    [Fact]
    public async Task A_database_that_has_written_nothing_beyond_the_archive_would_lose_nothing()
    {
        await using var server = await PostgresServer.StartAsync();
        await using var test = await TestSite.CreateAsync(server.Uri);
        await using var site = test.Open(new Tomorrow());
        await using var repository = await test.OpenRepositoryAsync();
        await server.ExecuteAsync("create table calls as select 1 as id");
        var options = new PostgresBackupOptions(server.Uri) { Component = "postgres", Mode = PostgresBackupMode.Replication };
        var snapshot = await new PostgresBackup(repository, TimeProvider.System).RunAsync(options, null, CancellationToken.None);
        var archive = new WalArchive(repository, snapshot.Details!["systemIdentifier"]!.GetValue<string>());

        await server.ExecuteAsync("insert into calls values (2)");
        (await StandingAsync(site, repository)).Loss!.Value.ShouldBeGreaterThan(TimeSpan.FromHours(23));

        // The server may note something of its own at any time, such as what runs; then there is more to archive.
        ComponentStanding idle;
        string before;
        do
        {
            var segment = await server.ScalarAsync<string>("select pg_walfile_name(pg_switch_wal())");
            await archive.PushFileAsync(
                segment, await File.ReadAllBytesAsync(Path.Combine(server.DataDirectory, "pg_wal", segment)), CancellationToken.None);
            before = await EndAsync(server);
            idle = await StandingAsync(site, repository);
        }
        while (await EndAsync(server) != before);

        idle.Loss.ShouldBe(TimeSpan.Zero);
        idle.WithinRpo.ShouldBeTrue();

        await server.ExecuteAsync("insert into calls values (3)");
        var behind = await StandingAsync(site, repository);
        behind.Loss!.Value.ShouldBeGreaterThan(TimeSpan.FromHours(23));
        behind.WithinRpo.ShouldBeFalse();

        // Nobody can say what a server that is gone had written.
        await server.StopAsync();
        (await StandingAsync(site, repository)).Loss!.Value.ShouldBeGreaterThan(TimeSpan.FromHours(23));
    }

    private static Task<string> EndAsync(PostgresServer server) => server.ScalarAsync<string>("select pg_current_wal_flush_lsn()::text");

    private static async Task<ComponentStanding> StandingAsync(BackupSite site, BackupRepository repository) =>
        await ComponentStanding.OfAsync(site, repository, "postgres", new HashSet<string>(), CancellationToken.None);

    private sealed class Tomorrow : TimeProvider
    {
        private readonly DateTimeOffset _now = System.GetUtcNow().AddDays(1);

        public override DateTimeOffset GetUtcNow() => _now;
    }
}
