using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>A database by the replication protocol.</summary>
public sealed class PostgresWorld : ComponentWorld
{
    private const string Rows = "select count(*) || ' ' || md5(string_agg(c::text, '|' order by id)) from calls c";

    private PostgresServer _server = null!;
    private FlowGate _gate = null!;

    public override string Component => "postgres";

    public override string Settings => "    postgres: { connection: env:PGCONNECTION, mode: replication }";

    public override Task Stopped => _gate.Stopped;

    protected override async Task StartSourceAsync()
    {
        _server = await PostgresServer.StartAsync();
        _gate = new FlowGate(() => _server.Port);
        Environment["PGCONNECTION"] = $"postgresql://postgres@127.0.0.1:{_gate.Port}/postgres";
        await _server.ExecuteAsync("create table calls as select g as id, md5(g::text) as note from generate_series(1, 40000) g");
    }

    public override Task LoseAsync() => _server.ExecuteAsync("drop table calls");

    public override Task ChangeAsync() => _server.ExecuteAsync("update calls set note = 'changed' where id % 100 = 0; delete from calls where id = 7");

    public override Task<string> DigestAsync() => _server.ScalarAsync<string>(Rows);

    public override async Task<string> RestoredAsync(RestoreRequest request)
    {
        await using var copy = await PostgresServer.AttachAsync(request.Target);
        await copy.StartAgainAsync(waitForPromotion: true);
        var rows = await copy.ScalarAsync<string>(Rows);
        await copy.StopAsync();
        return rows;
    }

    public override RestoreRequest Restore() => new() { Component = Component, Target = Path.Join(_server.Scratch, "restored"), ToBackup = true };

    public override RestoreRequest Replacing(RestoreRequest request) => request with { Overwrite = true, Delta = true };

    public override IEnumerable<(RestoreRequest Request, string Words)> Refused()
    {
        yield return (Restore() with { Target = "somewhere" }, "absolute path");
        yield return (Restore() with { Target = _server.DataDirectory }, _server.DataDirectory);
        yield return (Restore() with { Target = _server.DataDirectory, Overwrite = true, Delta = true }, "A server runs on");
        yield return (Restore() with { ToBackup = false, ToTime = new DateTimeOffset(2001, 1, 1, 0, 0, 0, TimeSpan.Zero) }, "before");
        yield return (Restore() with { Staging = true }, "has no meaning");
    }

    public override void StopHalfWay() => _gate.StopAfter(3_000_000);

    public override void GoOn() => _gate.Resume();

    public override async Task DieAsync()
    {
        await _server.StopAsync(PostgresStop.Immediate);
        await _gate.CutAsync();
    }

    public override Task ReviveAsync() => _server.StartAgainAsync();

    public override async ValueTask DisposeAsync()
    {
        await _gate.DisposeAsync();
        await _server.DisposeAsync();
    }
}

public sealed class PostgresConformanceTests : ComponentConformance<PostgresWorld>;
