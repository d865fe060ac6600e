using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>Two servers that went on from the same data: one cluster, one timeline, the same segment names, other content.</summary>
public sealed class DivergedHistoryTests
{
    private const int Size = 1 << 20;

    [Fact]
    public async Task Wal_of_two_servers_of_the_same_name_is_told_apart_by_content()
    {
        var settings = new Dictionary<string, string> { ["wal_keep_size"] = "64MB", ["autovacuum"] = "off" };
        var options = new PostgresServerOptions { WalSegmentMegabytes = 1, Settings = settings };
        await using var one = await PostgresServer.StartAsync(options);
        await one.ExecuteAsync("create table t (s text); checkpoint");
        var start = await one.ScalarAsync<string>("select redo_lsn::text from pg_control_checkpoint()");
        var stop = await one.ScalarAsync<string>("select pg_current_wal_insert_lsn()::text");
        var system = await one.ScalarAsync<string>("select system_identifier::text from pg_control_system()");
        await one.StopAsync();
        var copy = Path.Combine(one.Scratch, "two");
        using (var process = System.Diagnostics.Process.Start("cp", ["-a", one.DataDirectory, copy])) await process.WaitForExitAsync();
        await using var two = await PostgresServer.AttachAsync(copy, options);

        await one.StartAgainAsync();
        await one.ExecuteAsync("insert into t select md5(n::text) from generate_series(1, 60000) n");
        var first = await FinishedAsync(one);
        await one.StopAsync();
        await two.StartAgainAsync();
        await two.ExecuteAsync("insert into t select repeat('x', n % 50) from generate_series(1, 60000) n");
        var second = await FinishedAsync(two);
        await two.StopAsync();

        var backup = new PostgresBackupDetails
        {
            SystemIdentifier = system, ServerVersion = 150000, Timeline = 1, WalSegmentSize = Size, Mode = "direct",
            StartLsn = start, StopLsn = stop, StartTime = DateTimeOffset.UnixEpoch, StopTime = DateTimeOffset.UnixEpoch,
        };
        var common = first.Keys.Intersect(second.Keys).Order().ToList();
        common.Count.ShouldBeGreaterThan(3);
        foreach (var deep in new[] { false, true })
        {
            using var test = new TestArchive(system);
            foreach (var name in common)
            {
                var source = string.CompareOrdinal(name, common[^2]) < 0 ? first : second;
                await test.Archive.PushFileAsync(name, await File.ReadAllBytesAsync(source[name]), default);
            }

            var window = await test.Archive.FindWindowAsync(backup, null, deep, default);
            window.Gap!.ShouldContain($"{common[^2]} does not follow");
            WalSegmentName.TryParse(common[^2], out var border).ShouldBeTrue();
            window.EndLsn.ShouldBeLessThanOrEqualTo(border.Start(Size));
        }

        // One of them alone is whole.
        using var whole = new TestArchive(system);
        foreach (var (name, path) in second) await whole.Archive.PushFileAsync(name, await File.ReadAllBytesAsync(path), default);
        (await whole.Archive.VerifyAsync(backup, null, true, default)).IsSound.ShouldBeTrue();
    }

    /// <summary>The segments that the server had finished at the switch.</summary>
    private static async Task<Dictionary<string, string>> FinishedAsync(PostgresServer server)
    {
        // The switch ended a segment; the position is at the start of the next, which is named so only once something is written there.
        var end = Lsn.Parse(await server.ScalarAsync<string>("select pg_switch_wal()::text"));
        return Directory.GetFiles(Path.Combine(server.DataDirectory, "pg_wal"))
            .Where(p => WalSegmentName.TryParse(Path.GetFileName(p), out var name) && name.Start(Size) < end)
            .ToDictionary(p => Path.GetFileName(p), p => p);
    }
}
