using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.Redis;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Rdb;
using FunctionsBackup.Components.Redis.Restore;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Components.Redis.Verification;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Components.PostgreSql.Protocol;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.Redis;

/// <summary>Real servers, there and back. The servers' own digests say whether all is as it was.</summary>
public sealed class RedisBackupTests : IAsyncLifetime
{
    private BackupRepository _repository = null!;
    private string _folder = "";

    public async Task InitializeAsync()
    {
        _repository = await TestRepository.CreateAsync();
        _folder = Directory.CreateTempSubdirectory("fbredis-out-").FullName;
    }

    public async Task DisposeAsync()
    {
        await _repository.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Theory]
    [InlineData(7, 7, RedisBackupMode.Psync, "yes")]
    [InlineData(7, 8, RedisBackupMode.Psync, "no")]
    [InlineData(8, 8, RedisBackupMode.Psync, "yes")]
    [InlineData(8, 8, RedisBackupMode.Scan, "yes")]
    [InlineData(7, 7, RedisBackupMode.Scan, "yes")]
    public async Task All_types_come_back_into_a_folder_and_into_a_server(int from, int to, RedisBackupMode mode, string diskless)
    {
        await using var server = await RedisServer.StartAsync(from, null, "repl-diskless-sync", diskless);
        await RedisData.FillAsync(server, from);
        var digest = await server.DigestAsync();
        var snapshot = await BackUpAsync(server, mode);
        var details = RedisBackupDetails.FromJson(snapshot.Details)!;
        details.Keys["3"].ShouldBe(2);
        details.Functions.ShouldBe(1);
        (details.ReplicationId is not null).ShouldBe(mode == RedisBackupMode.Psync);
        (details.NoPointInTime is null).ShouldBe(mode == RedisBackupMode.Psync);
        snapshot.Warnings.Count.ShouldBe(mode == RedisBackupMode.Psync ? 0 : 1);
        (await new RepositoryVerifier(_repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None)).Defects.ShouldBeEmpty();

        var folder = Path.Combine(_folder, "data");
        var report = await new RedisDirectoryRestore(_repository, TimeProvider.System).RunAsync(
            snapshot, folder, new RedisSelection(), false, null, CancellationToken.None);
        report.TotalKeys.ShouldBe(details.Keys.Values.Sum());
        await using (var restored = await RedisServer.StartAsync(to, folder))
        {
            (await restored.DigestAsync()).ShouldBe(digest);
            (await restored.RunAsync("FCALL", "f", "0")).Integer.ShouldBe(1);
        }

        await using var target = await RedisServer.StartAsync(to);
        var live = await RestoreAsync(snapshot, target);
        (live.Failed, live.TotalKeys).ShouldBe((0, report.TotalKeys), string.Join("; ", live.Failures));
        (await target.DigestAsync()).ShouldBe(digest);
        (await target.RunAsync("FCALL", "f", "0")).Integer.ShouldBe(1);
        (await target.RunAsync("XINFO", "GROUPS", "stream")).Items.Count.ShouldBe(2);
        (await target.RunAsync("PTTL", "expiring")).Integer.ShouldBeInRange(1, 3_600_000);
        var boot = await new RedisBootCheck(_repository, TimeProvider.System) { Programs = [Path.Combine(TestCache.Directory, "trixie/usr/bin/redis-server")] }
            .RunAsync(snapshot, null, CancellationToken.None);
        boot.Passed.ShouldBeTrue(string.Join("; ", boot.Findings));
        boot.Findings[^1].ShouldContain("started on it and holds");
    }

    [Fact]
    public async Task A_repeat_stores_what_changed_and_follows_removals_through_many_layers()
    {
        await using var server = await RedisServer.StartAsync();
        await RedisData.FillManyAsync(server, 0, 50_000, 0);
        var first = await BackUpAsync(server);
        var unchanged = await BackUpAsync(server);
        unchanged.Statistics.NewBytes.ShouldBe(0);
        for (var i = 1; i <= 10; i++)
        {
            // One key in a hundred, all over the place.
            await using (var connection = await server.ConnectAsync())
                for (var n = i; n < 50_000; n += 1000) await connection.CallAsync(CancellationToken.None, "DEL", $"session:{n}");
            for (var n = 0; n < 10; n++) await RedisData.FillManyAsync(server, (n * 5000) + (i * 100), 45, i);
            var next = await BackUpAsync(server);
            var ratio = (double)next.Statistics.NewBytes / first.Statistics.NewBytes;
            if (next.Kind == "incremental") ratio.ShouldBeLessThan(0.03);
            RedisBackupDetails.FromJson(next.Details)!.Layers.Count.ShouldBeLessThanOrEqualTo(8);
            await using var target = await RedisServer.StartAsync();
            await RestoreAsync(next, target);
            (await target.DigestAsync()).ShouldBe(await server.DigestAsync(), $"after change {i}");
        }

        // The first one is as it was.
        await using var old = await RedisServer.StartAsync();
        (await RestoreAsync(first, old)).TotalKeys.ShouldBe(50_000);
        // None needs another: each names all its layers.
        await _repository.Snapshots.DeleteAsync(first.Id, CancellationToken.None);
        (await new RepositoryVerifier(_repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None)).Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task Keys_are_chosen_and_renamed()
    {
        await using var server = await RedisServer.StartAsync();
        await server.RunAllAsync("SET a:1 x", "SET a:2 y", "SET b:1 z", "SELECT 2", "SET a:3 w");
        var snapshot = await BackUpAsync(server);
        await using var target = await RedisServer.StartAsync();
        var selection = new RedisSelection
        {
            Databases = [0], Match = "a:*"u8.ToArray(), OldPrefix = "a:"u8.ToArray(), NewPrefix = "restored:"u8.ToArray(),
        };
        (await RestoreAsync(snapshot, target, selection)).TotalKeys.ShouldBe(2);
        (await target.RunAsync("KEYS", "*")).Items.Select(k => k.Text).Order().ShouldBe(["restored:1", "restored:2"]);
    }

    [Fact]
    public async Task What_a_server_holds_is_kept_replaced_or_removed_as_it_was_asked()
    {
        await using var server = await RedisServer.StartAsync();
        await server.RunAllAsync("SET a 1", "SET b 2");
        var snapshot = await BackUpAsync(server);
        await using var target = await RedisServer.StartAsync();
        await target.RunAllAsync("SET a other", "SET c 3");
        (await Should.ThrowAsync<RestoreRefusedException>(() => RestoreAsync(snapshot, target))).Message.ShouldContain("holds 2 keys");
        (await target.RunAsync("GET", "a")).Text.ShouldBe("other");
        await RestoreAsync(snapshot, target, replace: true);
        (await target.RunAsync("DBSIZE")).Integer.ShouldBe(3);
        (await target.RunAsync("GET", "a")).Text.ShouldBe("1");
        (await RestoreAsync(snapshot, target, exact: true)).Deleted.ShouldBe(1);
        (await target.DigestAsync()).ShouldBe(await server.DigestAsync());

        var folder = Directory.CreateDirectory(Path.Combine(_folder, "used")).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "something"), "x");
        var restore = new RedisDirectoryRestore(_repository, TimeProvider.System);
        await Should.ThrowAsync<RestoreRefusedException>(async () => await restore.RunAsync(snapshot, folder, new RedisSelection(), false, null, default));
        Directory.CreateDirectory(Path.Combine(folder, "appendonlydir"));
        (await Should.ThrowAsync<RestoreRefusedException>(async () => await restore.RunAsync(snapshot, folder, new RedisSelection(), true, null, default)))
            .Message.ShouldContain("would start from it");
    }

    [Fact]
    public async Task A_user_who_may_not_replicate_is_read_key_by_key_and_a_wrong_password_is_said_so()
    {
        await using var server = await RedisServer.StartAsync();
        await server.RunAllAsync("SET a 1", "ACL SETUSER backup on >secret-PLANTED ~* +@read +dump +scan +info +time +select +pttl +function|list +ping");
        var address = RedisAddress.Parse($"redis://backup:secret-PLANTED@127.0.0.1:{server.Port}");
        var snapshot = await new RedisBackup(_repository, TimeProvider.System).RunAsync(new RedisBackupOptions(address), null, default);
        RedisBackupDetails.FromJson(snapshot.Details)!.Mode.ShouldBe("scan");
        snapshot.Warnings.ShouldHaveSingleItem().ShouldContain("no point in time");
        (await Should.ThrowAsync<RedisException>(async () => await new RedisBackup(_repository, TimeProvider.System).RunAsync(
            new RedisBackupOptions(address) { Mode = RedisBackupMode.Psync }, null, default))).Code.ShouldBe("NOPERM");
        var wrong = await Should.ThrowAsync<RedisException>(async () => await new RedisBackup(_repository, TimeProvider.System).RunAsync(
            new RedisBackupOptions(RedisAddress.Parse($"redis://backup:wrong-PLANTED@127.0.0.1:{server.Port}")), null, default));
        (wrong.IsDenied, wrong.IsTransient).ShouldBe((true, false));
        wrong.ToString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task Over_tls_only_who_shows_the_right_certificate_is_trusted()
    {
        var (authority, other) = await TestCertificates.WriteAsync(_folder, "localhost");
        await using var server = await RedisServer.StartAsync(
            7, null, "tls-port", "0", "tls-auth-clients", "no", "tls-ca-cert-file", authority,
            "tls-cert-file", Path.Combine(_folder, "server.crt"), "tls-key-file", Path.Combine(_folder, "server.key"));
        var port = FreePorts.Take();
        await server.RunAsync("CONFIG", "SET", "tls-port", port.ToString(System.Globalization.CultureInfo.InvariantCulture));
        await RedisData.FillManyAsync(server, 0, 2000, 0);
        var address = RedisAddress.Parse($"rediss://localhost:{port}?ca_file={Uri.EscapeDataString(authority)}");
        var snapshot = await new RedisBackup(_repository, TimeProvider.System).RunAsync(
            new RedisBackupOptions(address) { Mode = RedisBackupMode.Psync }, null, CancellationToken.None);
        RedisBackupDetails.FromJson(snapshot.Details)!.Keys["0"].ShouldBe(2000);
        foreach (var wrong in new[] { $"rediss://localhost:{port}?ca_file={Uri.EscapeDataString(other)}", $"rediss://localhost:{port}", $"rediss://127.0.0.1:{port}?ca_file={Uri.EscapeDataString(authority)}" })
            (await Should.ThrowAsync<RedisException>(async () => await RedisConnection.OpenAsync(RedisAddress.Parse(wrong), CancellationToken.None))).IsTransient.ShouldBeFalse();
    }

    [Fact]
    public async Task A_damaged_snapshot_before_does_not_keep_the_next_from_being_taken()
    {
        await using var server = await RedisServer.StartAsync();
        await RedisData.FillManyAsync(server, 0, 2000, 0);
        await BackUpAsync(server);
        foreach (var pack in await _repository.Store.ListAsync("packs/", CancellationToken.None).Select(i => i.Name).ToListAsync())
            await _repository.Store.DeleteAsync(pack, CancellationToken.None);
        var next = await BackUpAsync(server);
        next.Kind.ShouldBe("full");
        next.Warnings.ShouldContain(w => w.StartsWith("The snapshot before this one could not be built on", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Damage_on_the_way_is_noticed()
    {
        await using var server = await RedisServer.StartAsync();
        await RedisData.FillAsync(server, 7);
        await server.RunAsync("SAVE");
        var bytes = await File.ReadAllBytesAsync(Path.Combine(server.Folder, "dump.rdb"));
        (await CountAsync(bytes)).ShouldBeGreaterThan(20);
        var random = new Random(1);
        for (var i = 0; i < 300; i++)
        {
            var damaged = bytes.ToArray();
            damaged[random.Next(damaged.Length)] ^= (byte)(1 << random.Next(8));
            await Should.ThrowAsync<RdbFormatException>(() => CountAsync(damaged));
        }

        for (var i = 0; i < 50; i++) await Should.ThrowAsync<RdbFormatException>(() => CountAsync(bytes[..random.Next(bytes.Length)]));
    }

    [Fact]
    public async Task A_server_that_dies_while_it_is_restored_into_is_said_so_and_a_repeat_completes()
    {
        await using var server = await RedisServer.StartAsync();
        await RedisData.FillManyAsync(server, 0, 60_000, 0);
        var snapshot = await BackUpAsync(server);
        await using var target = await RedisServer.StartAsync();
        await using var gate = new FlowGate(() => target.Port);
        gate.StopAfter(50_000);
        var options = new RedisServerRestoreOptions(RedisAddress.Parse($"redis://127.0.0.1:{gate.Port}")) { Replace = true };
        var running = new RedisServerRestore(_repository, TimeProvider.System).RunAsync(snapshot, options, null, default).AsTask();
        await gate.Stopped;
        await target.StopAsync();
        await gate.CutAsync();
        (await Should.ThrowAsync<RedisException>(() => running)).Message.ShouldContain("broke off");
        gate.Resume();
        await target.StartAgainAsync();
        await new RedisServerRestore(_repository, TimeProvider.System).RunAsync(snapshot, options, null, default);
        (await target.DigestAsync()).ShouldBe(await server.DigestAsync());
    }

    private async Task<Snapshot> BackUpAsync(RedisServer server, RedisBackupMode mode = RedisBackupMode.Auto) =>
        await new RedisBackup(_repository, TimeProvider.System).RunAsync(new RedisBackupOptions(server.Address) { Mode = mode }, null, CancellationToken.None);

    private async Task<RedisRestoreReport> RestoreAsync(
        Snapshot snapshot, RedisServer target, RedisSelection? selection = null, bool replace = false, bool exact = false) =>
        await new RedisServerRestore(_repository, TimeProvider.System).RunAsync(
            snapshot, new RedisServerRestoreOptions(target.Address) { Selection = selection ?? new(), Replace = replace, Exact = exact }, null, CancellationToken.None);

    private static async Task<int> CountAsync(byte[] rdb)
    {
        using var stream = new MemoryStream(rdb);
        using var reader = new RdbReader((buffer, token) => stream.ReadAsync(buffer, token), _ => new(new Nowhere()));
        var count = 0;
        while (await reader.NextAsync(CancellationToken.None) is not null) count++;
        return count;
    }

    private sealed class Nowhere : IRdbValueSink
    {
        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => default;
    }
}
