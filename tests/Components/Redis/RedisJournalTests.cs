using System.Text;
using FunctionsBackup.Components.Redis;
using FunctionsBackup.Components.Redis.Journal;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.Redis;

/// <summary>Real servers: what a follower wrote, replayed into another server, gives the same digest.</summary>
public sealed class RedisJournalTests : IAsyncLifetime
{
    private BackupRepository _repository = null!;

    public async Task InitializeAsync() => _repository = await TestRepository.CreateAsync();

    public async Task DisposeAsync() => await _repository.DisposeAsync();

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    public async Task What_follows_a_snapshot_is_replayed_and_a_cut_connection_goes_on_at_the_byte(int version)
    {
        await using var server = await RedisServer.StartAsync(version);
        await using var gate = new FlowGate(() => server.Port);
        var snapshot = await new RedisBackup(_repository, TimeProvider.System).RunAsync(new RedisBackupOptions(server.Address), null, CancellationToken.None);
        var details = RedisBackupDetails.FromJson(snapshot.Details)!;
        await server.RunAllAsync("SET before follower", "SELECT 3", "RPUSH list a b c");
        await using (var follower = new Running(_repository, RedisAddress.Parse($"redis://127.0.0.1:{gate.Port}")))
        {
            await follower.UntilAsync(s => s.IsStreaming);
            await server.RunAllAsync("SET one 1", "MULTI", "INCR counter", "INCR counter", "EXEC");
            await follower.UntilSealedAsync(server);
            await gate.CutAsync();
            await server.RunAllAsync("SET while-away 1", "DEL one");
            gate.Resume();
            await follower.UntilSealedAsync(server);
            follower.Status.Gaps.ShouldBe(0);
        }

        await server.RunAllAsync("SET between followers");
        await using (var second = new Running(_repository, server.Address))
        {
            await second.UntilSealedAsync(server);
            second.Status.Gaps.ShouldBe(0);
        }

        await using var target = await RedisServer.StartAsync(version);
        await ReplayAsync(target, details, null);
        (await target.DigestAsync()).ShouldBe(await server.DigestAsync());
        (await target.RunAsync("GET", "between")).Text.ShouldBe("followers");
        var report = await new RepositoryVerifier(_repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_time_between_two_writes_is_reached()
    {
        await using var server = await RedisServer.StartAsync();
        var snapshot = await new RedisBackup(_repository, TimeProvider.System).RunAsync(new RedisBackupOptions(server.Address), null, CancellationToken.None);
        DateTimeOffset between;
        await using (var follower = new Running(_repository, server.Address))
        {
            await server.RunAllAsync("SET good 1");
            await follower.UntilSealedAsync(server);
            between = DateTimeOffset.UtcNow;
            await Task.Delay(20);
            await server.RunAllAsync("FLUSHALL");
            await follower.UntilSealedAsync(server);
        }

        var details = RedisBackupDetails.FromJson(snapshot.Details)!;
        await using var target = await RedisServer.StartAsync();
        await ReplayAsync(target, details, between);
        (await target.RunAsync("GET", "good")).Text.ShouldBe("1");
        await ReplayAsync(target, details, null);
        (await target.RunAsync("DBSIZE")).Integer.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_cannot_go_on_makes_a_gap_that_is_told()
    {
        await using var server = await RedisServer.StartAsync();
        await using (var follower = new Running(_repository, server.Address))
        {
            await follower.UntilAsync(s => s.IsStreaming);
            await server.RunAllAsync("SET a 1");
            await follower.UntilSealedAsync(server);
            var before = follower.Status.ReplicationId!;
            await server.StopAsync();
            await server.StartAgainAsync(); // another port, another id, no data
            (await new RedisJournal(_repository).FindTailAsync(CancellationToken.None))!.ReplicationId.ShouldBe(before);
        }

        await using var second = new Running(_repository, server.Address);
        await second.UntilAsync(s => s.IsStreaming);
        second.Status.Gaps.ShouldBe(1);
        second.Status.LastProblem!.ShouldContain("take a snapshot");
        await server.RunAllAsync("SET b 2");
        await second.UntilSealedAsync(server);
    }

    [Fact]
    public async Task A_wrong_password_ends_it()
    {
        await using var server = await RedisServer.StartAsync(7, null, "requirepass", "secret");
        var address = server.Address with { Password = "wrong-one" };
        var error = await Should.ThrowAsync<RedisException>(
            () => new RedisFollower(new RedisFollowerOptions(address), _repository, TimeProvider.System).RunAsync(CancellationToken.None));
        error.Code.ShouldBe("WRONGPASS");
        error.Message.ShouldNotContain("wrong-one");
    }

    [Fact]
    public async Task Commands_and_transactions_are_cut_whole_however_the_parts_are()
    {
        const string first = "*1\r\n$4\r\nPING\r\n", second = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$4\r\n\r\n*1\r\n";
        const string open = "*1\r\n$5\r\nmulti\r\n*2\r\n$4\r\nINCR\r\n$1\r\nb\r\n", close = "*1\r\n$4\r\nExec\r\n";
        var bytes = Encoding.Latin1.GetBytes(first + second + open + close + "*1\r\n$4\r\nPI");
        var whole = (first + second + open + close).Length;
        foreach (var size in new[] { 1, 3, 7, bytes.Length })
        {
            var (id, journal) = (new string((char)('a' + (size % 6)), 40), new RedisJournal(_repository));
            for (var at = 0; at < bytes.Length; at += size)
            {
                var piece = bytes.AsMemory(at, Math.Min(size, bytes.Length - at));
                var part = new JournalPart(id, 100 + at, 100 + at + piece.Length, DateTimeOffset.FromUnixTimeMilliseconds(1000 + at));
                await journal.AddAsync(part, new JournalPartHeader([[1000 + at, piece.Length]], null), piece, CancellationToken.None);
            }

            (await ReadAsync(id, 100, null)).ShouldBe(first + second + open + close);
            (await ReadAsync(id, 100 + first.Length, null)).Length.ShouldBe(whole - first.Length);
            // In the middle of the transaction: nothing of it.
            if (size == 1) (await ReadAsync(id, 100, DateTimeOffset.FromUnixTimeMilliseconds(1000 + whole - 3))).ShouldBe(first + second);
            if (size == 1) await Should.ThrowAsync<DamageException>(() => ReadAsync(id, 101, null));
        }

        foreach (var nonsense in new[] { "+OK\r\n", "*0\r\n", "*-1\r\n", "*1\r\n:1\r\n", "*1\r\n$99999999999\r\n", "*\r\n", "*1\r\n$1\r\nab\r\n" })
            Should.Throw<InvalidDataException>(() => new CommandScanner().Feed(Encoding.Latin1.GetBytes(nonsense)), nonsense);
    }

    private async Task<string> ReadAsync(string id, long from, DateTimeOffset? until)
    {
        var text = new StringBuilder();
        await foreach (var piece in new RedisJournal(_repository).ReadAsync(id, from, until, CancellationToken.None))
            text.Append(Encoding.Latin1.GetString(piece.Span));
        return text.ToString();
    }

    private async Task ReplayAsync(RedisServer target, RedisBackupDetails details, DateTimeOffset? until)
    {
        await using var connection = await target.ConnectAsync();
        await foreach (var piece in new RedisJournal(_repository).ReadAsync(details.ReplicationId!, details.ReplicationOffset, until, CancellationToken.None))
            await connection.WriteAsync(piece, CancellationToken.None);
        await connection.SendAsync(new RedisArgument[] { "ECHO", "replayed" }, CancellationToken.None);
        await connection.FlushAsync(CancellationToken.None);
        while (await connection.TryReceiveAsync(CancellationToken.None) is var reply && reply.Text != "replayed") reply.Error.ShouldBeNull();
    }

    /// <summary>A follower at work, stopped in the end.</summary>
    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly RedisFollower _follower;
        private readonly Task _work;

        public Running(BackupRepository repository, RedisAddress address)
        {
            var options = new RedisFollowerOptions(address)
            {
                SealInterval = TimeSpan.FromMilliseconds(100), MinimumBackoff = TimeSpan.FromMilliseconds(50), MaximumBackoff = TimeSpan.FromMilliseconds(200),
            };
            _follower = new RedisFollower(options, repository, TimeProvider.System);
            _work = _follower.RunAsync(_stop.Token);
        }

        public RedisFollowerStatus Status => _follower.Status;

        public async Task UntilAsync(Func<RedisFollowerStatus, bool> holds)
        {
            for (var i = 0; i < 1500 && !holds(Status); i++)
            {
                if (_work.IsCompleted) await _work;
                await Task.Delay(20);
            }

            holds(Status).ShouldBeTrue(Status.ToString());
        }

        /// <summary>Until all is in the repository that the server has said by now.</summary>
        public async Task UntilSealedAsync(RedisServer server)
        {
            await UntilAsync(s => s.IsStreaming);
            var info = (await server.RunAsync("INFO", "replication")).Text;
            var offset = long.Parse(info.Split("master_repl_offset:")[1].Split('\r')[0], System.Globalization.CultureInfo.InvariantCulture);
            await UntilAsync(s => s.Sealed >= offset);
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _work;
            _stop.Dispose();
        }
    }
}
