using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Tests.Servers;
using Npgsql;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>A database whose server lets nobody replicate, restored into another one.</summary>
public sealed class LogicalWorld : ComponentWorld
{
    private const string Rows = "select count(*) || ' ' || md5(string_agg(c::text, '|' order by id)) from calls c";

    private PostgresServer _server = null!, _target = null!;
    private FlowGate _gate = null!;

    public override string Component => "postgres";

    public override string Settings => "    postgres: { connection: env:PGCONNECTION, mode: auto, databases: [app] }";

    public override Task Stopped => _gate.Stopped;

    protected override async Task StartSourceAsync()
    {
        _server = await PostgresServer.StartAsync();
        _target = await PostgresServer.StartAsync();
        _gate = new FlowGate(() => _server.Port);
        await _server.ExecuteAsync("create role app login");
        await _server.ExecuteAsync("create database app owner app");
        (Environment["PGCONNECTION"], Environment["PGTARGET"]) = ($"postgresql://app@127.0.0.1:{_gate.Port}/app", _target.Uri);
        await RunAsync(_server, "set role app; create table calls (id int primary key, note text); insert into calls select g, md5(g::text) from generate_series(1, 40000) g");
    }

    public override Task LoseAsync() => RunAsync(_server, "drop table calls");

    public override Task ChangeAsync() => RunAsync(_server, "update calls set note = 'changed' where id % 100 = 0; delete from calls where id = 7");

    public override Task<string> DigestAsync() => DigestOfAsync(_server);

    public override Task<string> RestoredAsync(RestoreRequest request) => DigestOfAsync(_target);

    public override RestoreRequest Restore() => new() { Component = Component, Target = "env:PGTARGET" };

    public override RestoreRequest Replacing(RestoreRequest request) => request with { Clean = true };

    public override IEnumerable<(RestoreRequest Request, string Words)> Refused()
    {
        yield return (Restore() with { Target = "somewhere" }, "absolute path");
        yield return (Restore() with { Target = Path.Join(Folder, "data") }, "logical backup");
        yield return (Restore() with { Delta = true }, "have no meaning");
        yield return (Restore() with { ToLsn = "0/1" }, "restores to the moment");
        yield return (Restore() with { DatabaseNames = ["nothing"] }, "has no database nothing");
        yield return (Restore() with { Tables = ["public.nothing"] }, "has no table");
    }

    public override void StopHalfWay() => _gate.StopAfter(800_000);

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
        await _target.DisposeAsync();
    }

    private static NpgsqlDataSource Source(PostgresServer server) =>
        NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = "app", Pooling = false }.ConnectionString);

    private static async Task RunAsync(PostgresServer server, string sql)
    {
        await using var source = Source(server);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> DigestOfAsync(PostgresServer server)
    {
        await using var source = Source(server);
        await using var command = source.CreateCommand(Rows);
        return (string)(await command.ExecuteScalarAsync())!;
    }
}

public sealed class LogicalConformanceTests : ComponentConformance<LogicalWorld>;
