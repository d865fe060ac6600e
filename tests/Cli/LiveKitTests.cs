using System.Text.Json.Nodes;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Cli;

/// <summary>A LiveKit server from the first backup to the day it is lost.</summary>
public sealed class LiveKitTests : IAsyncLifetime
{
    private readonly Fbackup _fbackup = new();
    private LiveKitServer _server = null!;

    public async Task InitializeAsync()
    {
        _server = await LiveKitServer.StartAsync();
        _fbackup.Environment["LK_KEY"] = LiveKitServer.ApiKey;
        _fbackup.Environment["LK_SECRET"] = LiveKitServer.ApiSecret;
        _fbackup.WriteConfiguration($"    livekit: {{ url: \"{_server.Url}\", api_key: env:LK_KEY, api_secret: env:LK_SECRET }}");
        _fbackup.Write("recordings/calls/one.mp4", "12345");
        var state = _server.State;
        Add(state.InboundTrunks, """{"sip_trunk_id":"ST_a","name":"support","numbers":["+4930111"],"auth_username":"u","auth_password":"trunk-PLANTED"}""");
        Add(state.Rules, """{"sip_dispatch_rule_id":"SDR_a","name":"r","trunk_ids":["ST_a"],"rule":{"dispatch_rule_direct":{"room_name":"lobby","pin":"pin-PLANTED"}}}""");
        Add(state.Ingress, """{"ingress_id":"IN_a","name":"studio","input_type":"RTMP_INPUT","stream_key":"stream-PLANTED","room_name":"lobby","participant_identity":"s"}""");
        Add(state.Rooms, """{"sid":"RM_a","name":"lobby","empty_timeout":300,"turn_password":"turn-PLANTED"}""");
        Add(state.Egress, """{"egress_id":"EG_a","room_name":"lobby","ended_at":"1000000000","file_results":[{"filename":"calls/one.mp4","size":"5"},{"filename":"calls/two.mp4","size":"5"}]}""");
        _fbackup.Run("init", "--yes").Expect(0);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _fbackup.Dispose();
    }

    [Fact]
    public void It_is_backed_up_lost_and_made_again_and_no_secret_is_seen()
    {
        Seen("backup", "run", "--type", "voice_data").Expect(0);
        Seen("backup", "run", "--type", "livekit").Expect(3).Error.ShouldContain("calls/two.mp4");
        var shown = Seen("backup", "show", "latest", "--type", "livekit", "--json").Expect(0).Json;
        shown["details"]!["counts"]!["rooms"]!.GetValue<int>().ShouldBe(1);
        Seen("backup", "show", "latest", "--type", "livekit").Expect(0);
        Seen("backup", "verify", "latest", "--level", "full").Expect(0);
        var recordings = Seen("livekit", "recordings", "--json").Expect(3).Json;
        recordings["held"]!.GetValue<int>().ShouldBe(1);
        recordings["findings"]![0]!["file"]!.GetValue<string>().ShouldBe("calls/two.mp4");
        Seen("livekit", "recordings").Expect(3).Output.ShouldContain("missing         The recording calls/two.mp4");

        _server.State.Clear();
        var plan = Seen("restore", "livekit", "latest", "--target", "server", "--plan", "--json").Expect(3).Json;
        plan["steps"]!.AsArray().Select(s => s!["call"]!.GetValue<string>()).ShouldBe(
            ["SIP/CreateSIPInboundTrunk", "SIP/CreateSIPDispatchRule", "Ingress/CreateIngress", "RoomService/CreateRoom"]);
        Seen("restore", "livekit", "latest", "--target", "server", "--plan").Expect(3).Output.ShouldContain("create          RoomService/CreateRoom  lobby");
        _server.State.Rooms.ShouldBeEmpty();

        var result = Seen("restore", "livekit", "latest", "--target", "server", "--id-map", "ids.json", "--json").Expect(3).Events[^1];
        result["created"]!.GetValue<int>().ShouldBe(4);
        var map = JsonNode.Parse(File.ReadAllText(_fbackup.PathOf("ids.json")))!;
        map["ids"]!.AsArray().Count.ShouldBe(4);
        map["ids"]![0]!["old_id"]!.GetValue<string>().ShouldBe("ST_a");
        _server.State.InboundTrunks.Single()["auth_password"]!.ToString().ShouldBe("trunk-PLANTED");
        Seen("restore", "livekit", "latest", "--target", "server").Output.ShouldContain("0 created, 4 were there");

        Seen("restore", "livekit", "latest", "--target", "out").Expect(0);
        File.ReadAllText(_fbackup.PathOf("out/rooms/lobby/room.json")).ShouldContain("turn-PLANTED");
    }

    [Fact]
    public void Exact_asks_first()
    {
        Seen("backup", "run", "--type", "livekit").Expect(0);
        Add(_server.State.Rooms, """{"sid":"RM_b","name":"extra"}""");
        Seen("restore", "livekit", "latest", "--target", "server", "--exact").Expect(2).Error.ShouldContain("Nothing was changed: add --yes");
        _server.State.Rooms.Count.ShouldBe(2);
        Seen("restore", "livekit", "latest", "--target", "server", "--exact", "--yes").Output.ShouldContain("1 deleted");
        _server.State.Rooms.Single()["name"]!.ToString().ShouldBe("lobby");
    }

    [Theory]
    [InlineData("restore voice_data latest --target out --exact", "server")]
    [InlineData("restore livekit latest --target out --restart-egress", "server")]
    [InlineData("restore livekit latest --target server --delta", "no meaning")]
    [InlineData("restore livekit latest --target server --to-lsn 0/1", "no meaning")]
    public void What_makes_no_sense_is_refused(string command, string reason) => Seen(command.Split(' ')).Expect(2).Error.ShouldContain(reason);

    [Fact]
    public void A_wrong_secret_is_an_error_of_the_configuration()
    {
        _fbackup.Environment["LK_SECRET"] = "another-PLANTED";
        Seen("backup", "run", "--type", "livekit").Expect(2).Error.ShouldContain("components.livekit.api_key and api_secret");
    }

    private static void Add(List<JsonObject> items, string json) => items.Add(JsonNode.Parse(json)!.AsObject());

    private Ran Seen(params string[] arguments)
    {
        var result = _fbackup.Run(arguments);
        (result.Output + result.Error).ShouldNotContain("PLANTED");
        return result;
    }
}
