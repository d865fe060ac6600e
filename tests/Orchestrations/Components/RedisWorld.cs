using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>A Redis server, restored into another one.</summary>
public sealed class RedisWorld : ComponentWorld
{
    private RedisServer _server = null!, _target = null!;
    private FlowGate _gate = null!;

    public override string Component => "redis";

    public override string Settings => "    redis: { connection: env:REDIS_URL }";

    public override Task Stopped => _gate.Stopped;

    protected override async Task StartSourceAsync()
    {
        // What a crash leaves is what was saved last: here, all of it.
        _server = await RedisServer.StartAsync(7);
        _target = await RedisServer.StartAsync(8);
        _gate = new FlowGate(() => _server.Port);
        (Environment["REDIS_URL"], Environment["REDIS_TARGET"]) = ($"redis://127.0.0.1:{_gate.Port}", _target.Url);
        await using var connection = await _server.ConnectAsync();
        for (var i = 0; i < 3000; i++)
        {
            var value = new byte[1000];
            new Random(i).NextBytes(value);
            await connection.CallAsync(CancellationToken.None, "SET", $"key:{i}", value);
        }

        await connection.CallAsync(CancellationToken.None, "SAVE");
    }

    public override async Task LoseAsync() => await _server.RunAsync("FLUSHALL");

    public override Task ChangeAsync() => _server.RunAllAsync("SET key:7 changed", "DEL key:8", "HSET more a 1 b 2", "SAVE");

    public override Task<string> DigestAsync() => _server.DigestAsync();

    public override Task<string> RestoredAsync(RestoreRequest request) => _target.DigestAsync();

    public override RestoreRequest Restore() => new() { Component = Component, Target = "env:REDIS_TARGET" };

    public override RestoreRequest Replacing(RestoreRequest request) => request with { Exact = true };

    public override IEnumerable<(RestoreRequest Request, string Words)> Refused()
    {
        yield return (Restore() with { Target = "somewhere" }, "absolute path");
        yield return (Restore() with { Delta = true }, "have no meaning");
        yield return (Restore() with { ToLsn = "0/1" }, "has no meaning");
        yield return (Restore() with { Target = "env:NOWHERE" }, "NOWHERE");
        yield return (Restore() with { RenamePrefix = "x" }, "OLD=NEW");
        yield return (Restore() with { Target = "/proc/redis" }, "/proc");
    }

    public override void StopHalfWay() => _gate.StopAfter(1_000_000);

    public override void GoOn() => _gate.Resume();

    public override async Task DieAsync()
    {
        await _server.StopAsync();
        await _gate.CutAsync();
    }

    public override Task ReviveAsync() => _server.StartAgainAsync();

    public override async ValueTask DisposeAsync()
    {
        await _gate.DisposeAsync();
        await _server.DisposeAsync();
        await _target.DisposeAsync();
    }
}

public sealed class RedisConformanceTests : ComponentConformance<RedisWorld>;
