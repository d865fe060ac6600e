using System.Text.Json.Nodes;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>A LiveKit server, restored into itself.</summary>
public sealed class LiveKitWorld : ComponentWorld
{
    private LiveKitServer _server = null!;
    private FlowGate _gate = null!;

    public override string Component => "livekit";

    public override string Settings => $"    livekit: {{ url: \"http://127.0.0.1:{_gate.Port}\", api_key: env:LK_KEY, api_secret: env:LK_SECRET }}";

    /// <summary>A merge keeps what is there.</summary>
    public override bool RefusesWhatIsThere => false;

    public override Task Stopped => _gate.Stopped;

    protected override async Task StartSourceAsync()
    {
        _server = await LiveKitServer.StartAsync();
        _gate = new FlowGate(() => new Uri(_server.Url).Port);
        (Environment["LK_KEY"], Environment["LK_SECRET"]) = (LiveKitServer.ApiKey, LiveKitServer.ApiSecret);
        Add(_server.State.InboundTrunks, """{"sip_trunk_id":"ST_a","name":"support","numbers":["+4930111"],"auth_username":"u","auth_password":"p"}""");
        Add(_server.State.Rules, """{"sip_dispatch_rule_id":"SDR_a","name":"r","trunk_ids":["ST_a"],"rule":{"dispatch_rule_direct":{"room_name":"lobby"}}}""");
        Add(_server.State.Ingress, """{"ingress_id":"IN_a","name":"studio","input_type":"RTMP_INPUT","room_name":"lobby","participant_identity":"s"}""");
        for (var i = 0; i < 200; i++) Add(_server.State.Rooms, $$"""{"sid":"RM_{{i}}","name":"room-{{i}}","empty_timeout":300,"metadata":"{{new string('m', 200)}}"}""");
    }

    public override Task LoseAsync()
    {
        _server.State.Clear();
        return Task.CompletedTask;
    }

    public override Task ChangeAsync()
    {
        Add(_server.State.Rooms, """{"sid":"RM_new","name":"one more"}""");
        return Task.CompletedTask;
    }

    /// <summary>What people know the objects by: ids are new after a restore.</summary>
    public override Task<string> DigestAsync()
    {
        var state = _server.State;
        var names = state.InboundTrunks.Select(t => $"trunk {t["name"]} {t["auth_password"]}")
            .Concat(state.Rules.Select(r => $"rule {r["name"]} {r["trunk_ids"]?.AsArray().Count}"))
            .Concat(state.Ingress.Select(i => $"ingress {i["name"]} {i["room_name"]}"))
            .Concat(state.Rooms.Select(r => $"room {r["name"]} {r["metadata"]}"));
        return Task.FromResult(string.Join('\n', names.Order(StringComparer.Ordinal)));
    }

    public override Task<string> RestoredAsync(RestoreRequest request) => DigestAsync();

    public override RestoreRequest Restore() => new() { Component = Component, Target = "server" };

    public override RestoreRequest Replacing(RestoreRequest request) => request with { Exact = true };

    public override IEnumerable<(RestoreRequest Request, string Words)> Refused()
    {
        yield return (Restore() with { Delta = true }, "have no meaning");
        yield return (Restore() with { ToLsn = "0/1" }, "has no meaning");
        yield return (Restore() with { Target = "somewhere" }, "absolute path");
        yield return (Restore() with { IdMap = "/proc/map.json" }, "/proc/map.json");
    }

    public override void StopHalfWay() => _gate.StopAfter(20_000);

    public override void GoOn() => _gate.Resume();

    public override Task DieAsync() => _gate.CutAsync();

    public override Task ReviveAsync() => Task.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await _gate.DisposeAsync();
        await _server.DisposeAsync();
    }

    private static void Add(List<JsonObject> items, string json) => items.Add(JsonNode.Parse(json)!.AsObject());
}

public sealed class LiveKitConformanceTests : ComponentConformance<LiveKitWorld>;
