using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Receiving;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

public sealed class WalReceiverTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData(15), InlineData(17)]
    public async Task What_was_committed_survives_the_loss_of_the_server_and_receiving_goes_on_after_it(int version)
    {
        await using var server = await StartAsync(version);
        var system = await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()");
        using var test = new TestArchive(system);
        await server.ExecuteAsync("create table t (n int)");
        var backup = await BackupAsync(server, version);
        await using (var running = Running.Start(server, test))
        {
            var time = await InsertAsync(server, 1, 20_000);
            await running.UntilArchivedAsync(await EndAsync(server));
            // Half-filled: sealed as parts. Whole ones behind it: as segments.
            (await test.Archive.ListAsync(default).ToListAsync()).ShouldNotBeEmpty();
            test.Store.Names.ShouldContain(n => n.Contains(".parts/", StringComparison.Ordinal));

            await server.StopAsync(PostgresStop.Kill);
            var window = await test.Archive.FindWindowAsync(backup, null, default);
            window.EndTime.ShouldBe(time);
            window.Gap.ShouldBeNull();

            // The server comes back elsewhere on the same data; the same receiver is told by its own reconnecting.
            await running.StopAsync();
            await server.StartAgainAsync();
        }

        await using (var running = Running.Start(server, test))
        {
            var time = await InsertAsync(server, 2, 15_000);
            await running.UntilArchivedAsync(await EndAsync(server));

            // The server may forget what is archived, and nothing else.
            using var patience = new CancellationTokenSource(Patience);
            Lsn slot;
            do slot = Lsn.Parse(await server.ScalarAsync<string>("select restart_lsn::text from pg_replication_slots", patience.Token));
            while (slot <= Lsn.Parse(backup.StopLsn));
            slot.ShouldBeLessThanOrEqualTo(running.Receiver.Status.Archived);

            await running.StopAsync();
            var window = await test.Archive.FindWindowAsync(backup, null, deep: true, default);
            window.EndTime.ShouldBe(time);
            window.Gap.ShouldBeNull();
            (await test.Archive.VerifyAsync(backup, null, true, default)).IsSound.ShouldBeTrue();
        }
    }

    [Fact]
    public async Task It_reconnects_by_itself_when_its_connection_is_cut()
    {
        await using var server = await StartAsync(15);
        using var test = new TestArchive(await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"));
        await server.ExecuteAsync("create table t (n int)");
        var backup = await BackupAsync(server, 15);
        await using var running = Running.Start(server, test);
        await InsertAsync(server, 1, 100);
        await running.UntilArchivedAsync(await EndAsync(server));
        for (var round = 0; round < 3; round++)
        {
            await server.ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_replication");
            var time = await InsertAsync(server, round + 2, 3000);
            await running.UntilArchivedAsync(await EndAsync(server));
            (await test.Archive.FindWindowAsync(backup, null, default)).EndTime.ShouldBe(time);
        }

        running.Receiver.Status.Failures.ShouldBeGreaterThanOrEqualTo(3);
        running.Receiver.Status.LastProblem.ShouldNotBeNull();
    }

    [Fact]
    public async Task It_follows_a_standby_over_its_promotion()
    {
        await using var primary = await StartAsync(15);
        using var test = new TestArchive(await primary.ScalarAsync<string>("select system_identifier::text from pg_control_system()"));
        await primary.ExecuteAsync("create table t (n int)");
        var copy = Path.Combine(primary.Scratch, "standby");
        await primary.ToolAsync("pg_basebackup", default, "-d", primary.Uri, "-D", copy, "-R", "-c", "fast", "-X", "stream");
        await using var standby = await PostgresServer.AttachAsync(
            copy, new PostgresServerOptions { Version = 15, WalSegmentMegabytes = 1 });
        await standby.StartAgainAsync();
        var backup = await BackupAsync(primary, 15);

        await using var running = Running.Start(standby, test);
        await InsertAsync(primary, 1, 20_000);
        var before = await EndAsync(primary);
        await running.UntilArchivedAsync(before);
        await primary.StopAsync(PostgresStop.Kill);
        (await standby.ScalarAsync<bool>("select pg_promote()")).ShouldBeTrue();
        var time = await InsertAsync(standby, 2, 20_000);
        var end = await EndAsync(standby);
        await running.UntilArchivedAsync(end, timeline: 2);
        await running.StopAsync();

        (await test.Archive.FetchAsync("00000002.history", default)).ShouldNotBeNull();
        var window = await test.Archive.FindWindowAsync(backup, null, deep: true, default);
        window.Gap.ShouldBeNull();
        window.Timeline.ShouldBe(2u);
        window.EndTime.ShouldBe(time);
        window.EndLsn.ShouldBeGreaterThanOrEqualTo(end);
        var old = await test.Archive.FindWindowAsync(backup, 1, default);
        old.Timeline.ShouldBe(1u);
        old.EndLsn.ShouldBeLessThan(window.EndLsn);
        old.EndLsn.ShouldBeGreaterThanOrEqualTo(before);
    }

    [Fact]
    public async Task A_refusal_that_will_not_pass_ends_it()
    {
        await using var server = await StartAsync(15);
        using var test = new TestArchive(await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"));
        await server.ExecuteAsync("create role plain login");
        var asPlain = server.ConnectionString.Replace("Username=postgres", "Username=plain", StringComparison.Ordinal);
        await RefusedAsync<Npgsql.PostgresException>(new WalReceiverOptions(asPlain));
        var slotless = new WalReceiverOptions(server.ConnectionString) { SlotName = "absent", CreateSlot = false };
        (await RefusedAsync<Npgsql.PostgresException>(slotless)).SqlState.ShouldBe("42704");
        await RefusedAsync<WalFormatException>(new WalReceiverOptions(server.ConnectionString) { SlotName = "a; drop" });

        Task<T> RefusedAsync<T>(WalReceiverOptions options)
            where T : Exception =>
            Should.ThrowAsync<T>(() => new WalReceiver(options, test.Opener, TimeProvider.System).RunAsync(default).WaitAsync(Patience));
    }

    [Fact]
    public async Task Wal_that_the_server_has_no_more_becomes_a_named_gap_and_receiving_goes_on()
    {
        await using var server = await StartAsync(15, keep: "0");
        using var test = new TestArchive(await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"));
        await server.ExecuteAsync("create table t (n int)");
        var backup = await BackupAsync(server, 15);
        await using (var running = Running.Start(server, test))
        {
            await InsertAsync(server, 1, 20_000);
            await running.UntilArchivedAsync(await EndAsync(server));
        }

        var missed = WalSegmentName.Containing(1, await EndAsync(server), 1 << 20).Next(1 << 20);
        // The walsender of the connection just closed may hold the slot a moment longer.
        using var patience = new CancellationTokenSource(Patience);
        while (await server.ScalarAsync<bool>("select exists (select from pg_stat_replication)", patience.Token)) await Task.Yield();
        await server.ExecuteAsync("select pg_drop_replication_slot('fbackup')");
        for (var i = 0; i < 4; i++) await InsertAsync(server, i, 20_000);
        await server.ExecuteAsync("checkpoint");
        for (var i = 0; i < 2; i++) await InsertAsync(server, i, 20_000);
        await server.ExecuteAsync("checkpoint");
        File.Exists(Path.Combine(server.DataDirectory, "pg_wal", missed.ToString())).ShouldBeFalse();

        await using (var running = Running.Start(server, test))
        {
            await InsertAsync(server, 9, 20_000);
            await running.UntilArchivedAsync(await EndAsync(server));
            running.Receiver.Status.LastProblem!.ShouldContain("new base backup");
        }

        var window = await test.Archive.FindWindowAsync(backup, null, default);
        window.Gap!.ShouldContain("is archived only up to");
    }

    private static Task<PostgresServer> StartAsync(int version, string keep = "64MB") => PostgresServer.StartAsync(new PostgresServerOptions
    {
        Version = version,
        WalSegmentMegabytes = 1,
        Settings = new Dictionary<string, string> { ["track_commit_timestamp"] = "on", ["autovacuum"] = "off", ["wal_keep_size"] = keep },
    });

    /// <summary>Inserts in one transaction, the last to commit, and gives the time of it.</summary>
    private static async Task<DateTimeOffset> InsertAsync(PostgresServer server, int number, int rows)
    {
        var xid = await server.ScalarAsync<string>($"with i as (insert into t select {number} from generate_series(1, {rows}) "
            + "returning 1) select pg_current_xact_id()::text from i limit 1");
        return await server.ScalarAsync<DateTime>($"select pg_xact_commit_timestamp('{xid}'::xid)");
    }

    private static async Task<Lsn> EndAsync(PostgresServer server) =>
        Lsn.Parse(await server.ScalarAsync<string>("select pg_current_wal_flush_lsn()::text"));

    /// <summary>Stands for a base backup taken now.</summary>
    private static async Task<PostgresBackupDetails> BackupAsync(PostgresServer server, int version)
    {
        await server.ExecuteAsync("checkpoint");
        var lsn = await server.ScalarAsync<string>("select redo_lsn::text from pg_control_checkpoint()");
        var end = await server.ScalarAsync<string>("select pg_current_wal_insert_lsn()::text");
        return new PostgresBackupDetails
        {
            SystemIdentifier = await server.ScalarAsync<string>("select system_identifier::text from pg_control_system()"),
            ServerVersion = version * 10000,
            Timeline = 1,
            StartLsn = lsn,
            StopLsn = end,
            StartTime = DateTimeOffset.UnixEpoch,
            StopTime = DateTimeOffset.UnixEpoch,
            WalSegmentSize = 1 << 20,
            Mode = "direct",
        };
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private Task _task = Task.CompletedTask;

        private Running(WalReceiver receiver) => Receiver = receiver;

        public WalReceiver Receiver { get; }

        public static Running Start(PostgresServer server, TestArchive test)
        {
            var options = new WalReceiverOptions(server.Uri)
            {
                SealInterval = TimeSpan.FromMilliseconds(100),
                MaximumBackoff = TimeSpan.FromSeconds(1),
            };
            var running = new Running(new WalReceiver(options, test.Opener, TimeProvider.System));
            running._task = running.Receiver.RunAsync(running._stop.Token);
            return running;
        }

        public async Task UntilArchivedAsync(Lsn lsn, uint timeline = 1)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            void Look(WalReceiverStatus status)
            {
                if (status.Timeline >= timeline && status.Archived >= lsn) done.TrySetResult();
            }

            Receiver.StatusChanged += Look;
            Look(Receiver.Status);
            try
            {
                await (await Task.WhenAny(done.Task, _task).WaitAsync(Patience));
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"Not archived to {lsn}: {Receiver.Status}");
            }

            Receiver.StatusChanged -= Look;
        }

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _task.WaitAsync(Patience);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _stop.Dispose();
        }
    }
}
