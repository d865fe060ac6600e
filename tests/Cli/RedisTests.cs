using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>A Redis server from the first backup to the day it is lost.</summary>
public sealed class RedisTests : IDisposable
{
    private readonly Fbackup _fbackup = new();

    public void Dispose() => _fbackup.Dispose();

    [Fact]
    public async Task It_is_backed_up_lost_and_comes_back_into_a_folder_and_into_a_server()
    {
        await using var server = await RedisServer.StartAsync(8, null, "requirepass", "redis-PLANTED");
        _fbackup.Environment["REDIS_URL"] = $"redis://:redis-PLANTED@127.0.0.1:{server.Port}";
        _fbackup.WriteConfiguration("    redis: { connection: env:REDIS_URL }\n  objectives: { cache: { rto: 30m, rpo: 2h } }");
        _fbackup.Run("init", "--yes").Expect(0);
        await using (var connection = await FunctionsBackup.Components.Redis.Protocol.RedisConnection.OpenAsync(
            FunctionsBackup.Components.Redis.Protocol.RedisAddress.Parse(_fbackup.Environment["REDIS_URL"]!), CancellationToken.None))
        {
            await connection.CallAsync(CancellationToken.None, "HSET", "rooms", "lobby", "x");
            await connection.CallAsync(CancellationToken.None, "SET", "session:1", "one");
            await connection.CallAsync(CancellationToken.None, "SELECT", "2");
            await connection.CallAsync(CancellationToken.None, "SET", "session:2", "two", "EX", 3600L);
        }

        Seen("backup", "run", "--type", "redis").Expect(0);
        var shown = Seen("backup", "show", "latest", "--type", "redis", "--json").Expect(0).Json;
        shown["details"]!["keys"]!["0"]!.GetValue<int>().ShouldBe(2);
        shown["details"]!["replicationId"]!.GetValue<string>().Length.ShouldBe(40);
        Seen("backup", "show", "latest", "--type", "redis").Expect(0);
        Seen("backup", "verify", "latest", "--level", "full").Expect(0);
        Seen("backup", "verify", "latest", "--level", "restore").Expect(0);
        Seen("status").Output.ShouldContain("redis");

        var refused = Seen("restore", "redis", "latest", "--target", "server", "--plan").Expect(3);
        refused.Error.ShouldContain("holds 3 keys");
        var plan = Seen("restore", "redis", "latest", "--target", "out", "--db", "2", "--plan", "--json").Expect(0).Json;
        plan["keys"]!.AsObject().Count.ShouldBe(1);
        Directory.Exists(_fbackup.PathOf("out")).ShouldBeFalse();
        Seen("restore", "redis", "latest", "--target", "out").Expect(0).Output.ShouldContain("3 keys");
        await using var restored = await RedisServer.StartAsync(8, _fbackup.PathOf("out"));
        (await restored.RunAsync("HGET", "rooms", "lobby")).Text.ShouldBe("x");

        await using var other = await RedisServer.StartAsync(8);
        _fbackup.Environment["OTHER"] = other.Url;
        var result = Seen("restore", "redis", "latest", "--target", "env:OTHER", "--match", "session:*", "--rename-prefix", "session:=old:", "--json").Expect(0).Events[^1];
        result["keys"]!.GetValue<int>().ShouldBe(2);
        (await other.RunAsync("GET", "old:1")).Text.ShouldBe("one");
        Seen("restore", "redis", "latest", "--target", "server", "--exact").Expect(2).Error.ShouldContain("Nothing was changed");
        Seen("restore", "voice_data", "latest", "--target", "x", "--match", "a").Expect(2).Error.ShouldContain("redis only");
        _fbackup.Environment["REDIS_URL"] = $"redis://:wrong-PLANTED@127.0.0.1:{server.Port}";
        Seen("backup", "run", "--type", "redis").Expect(2).Error.ShouldContain("components.redis.connection");
    }

    private Ran Seen(params string[] arguments)
    {
        var result = _fbackup.Run(arguments);
        (result.Output + result.Error).ShouldNotContain("PLANTED");
        return result;
    }
}
