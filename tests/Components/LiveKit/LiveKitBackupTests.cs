using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.LiveKit;
using FunctionsBackup.Components.LiveKit.Access;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.LiveKit;

public sealed class LiveKitBackupTests : LiveKitWorld
{
    [Fact]
    public async Task Everything_is_kept_as_the_server_told_it_under_readable_paths()
    {
        var snapshot = await BackUpAsync();
        snapshot.Warnings.ShouldBeEmpty();
        var files = await FilesAsync(snapshot);
        files.Keys.ShouldBe(
        [
            "egress/EG_a.json", "egress/EG_run.json", "ingress/IN_a.json", "ingress/IN_u.json",
            "rooms/%2E.%2FStraße 7%2Fa%00b/room.json", "rooms/lobby/dispatches/AD_a.json", "rooms/lobby/participants/caller%2F1.json", "rooms/lobby/room.json",
            "sip/dispatch_rules/SDR_a.json", "sip/inbound_trunks/ST_a.json", "sip/inbound_trunks/ST_b.json", "sip/outbound_trunks/ST_c.json",
        ]);
        // Fields that this version does not know, numbers as they were written.
        var trunk = files["sip/inbound_trunks/ST_a.json"];
        trunk.ShouldContain("\"field_of_tomorrow\": {\n    \"a\": [\n      1.50,\n      \"9007199254740993\"\n    ],\n    \"z\": 1\n  }");
        trunk.ShouldContain("trunk-PLANTED");
        var details = LiveKitBackupDetails.FromJson(snapshot.Details)!;
        details.Counts["rooms"].ShouldBe(2);
        details.Counts["sip_inbound_trunks"].ShouldBe(2);
        details.Counts["participants"].ShouldBe(1);
        details.ReadUntil.ShouldBeGreaterThanOrEqualTo(details.ReadFrom);
        snapshot.Details!.ToJsonString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task What_did_not_change_is_stored_once()
    {
        var first = await BackUpAsync();
        first.Statistics.NewBytes.ShouldBeGreaterThan(0);
        // The same, in another order of fields.
        var room = Server.State.Rooms[0];
        var name = room["name"]!.DeepClone();
        room.Remove("name");
        room["name"] = name;
        (await BackUpAsync()).Statistics.NewBytes.ShouldBe(0);
    }

    [Fact]
    public async Task Pages_are_followed_and_rooms_are_looked_into_some_at_a_time()
    {
        Server.PageLimit = 3;
        for (var i = 0; i < 50; i++)
        {
            Server.State.OutboundTrunks.Add(Json($$"""{"sip_trunk_id":"ST_x{{i:000}}","name":"t{{i}}","address":"a","numbers":["{{i}}"]}"""));
            Server.State.Egress.Add(Egress($"EG_x{i:000}", $"calls/{i}.mp4", 10));
            Server.State.Rooms.Add(Json($$"""{"sid":"RM_x{{i}}","name":"room-{{i}}"}"""));
        }

        Server.OnCall = _ => Task.Delay(5);
        var files = await FilesAsync(await BackUpAsync());
        files.Keys.Count(k => k.StartsWith("sip/outbound_trunks/", StringComparison.Ordinal)).ShouldBe(51);
        files.Keys.Count(k => k.StartsWith("egress/", StringComparison.Ordinal)).ShouldBe(52);
        files.Keys.Count(k => k.EndsWith("/room.json", StringComparison.Ordinal)).ShouldBe(52);
        Server.MostAtOnce.ShouldBeInRange(2, 16);
    }

    [Fact]
    public async Task A_room_that_ends_meanwhile_is_normal_and_noted()
    {
        Server.Vanishing.Add("lobby");
        var snapshot = await BackUpAsync();
        snapshot.Warnings.ShouldBeEmpty();
        LiveKitBackupDetails.FromJson(snapshot.Details)!.VanishedRooms.ShouldBe(["lobby"]);
    }

    [Theory]
    [InlineData(true, "bad_route")]
    [InlineData(false, "redis")]
    public async Task A_service_that_is_not_there_is_not_the_same_as_an_empty_one(bool hasRedis, string reason)
    {
        Server.MissingServices.Add("SIP");
        Server.HasRedis = hasRedis;
        var snapshot = await BackUpAsync();
        snapshot.Warnings.Count.ShouldBe(3);
        snapshot.Warnings[0].ShouldContain(reason);
        LiveKitBackupDetails.FromJson(snapshot.Details)!.Missing.Keys.ShouldBe(
            ["sip_inbound_trunks", "sip_outbound_trunks", "sip_dispatch_rules"], ignoreOrder: true);

        // So an exact restore of it deletes no trunks.
        Server.MissingServices.Clear();
        (await RestoreAsync(snapshot, exact: true)).Deleted.ShouldBe(0);
        Server.State.InboundTrunks.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_server_that_is_busy_is_asked_again()
    {
        Server.Unavailable = 2;
        (await FilesAsync(await BackUpAsync())).Count.ShouldBe(12);
    }

    [Fact]
    public async Task A_server_that_dies_half_way_leaves_no_recovery_point()
    {
        Server.DiesAfter = 7;
        var error = await Should.ThrowAsync<LiveKitException>(async () => await BackUpAsync());
        error.IsTransient.ShouldBeTrue();
        error.Message.ShouldNotContain(LiveKitServer.ApiSecret);
        (await Repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
        Server.DiesAfter = -1;
        (await FilesAsync(await BackUpAsync())).Count.ShouldBe(12);
    }

    [Fact]
    public async Task It_is_cancelled_half_way()
    {
        using var stop = new CancellationTokenSource();
        Server.OnCall = async method =>
        {
            if (method == "RoomService/ListRooms") await stop.CancelAsync();
        };
        await Should.ThrowAsync<OperationCanceledException>(async () => await BackUpAsync(stop.Token));
        (await Repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_wrong_secret_is_said_and_not_tried_again()
    {
        var options = new LiveKitBackupOptions(Server.Connection with { ApiSecret = "wrong-PLANTED" });
        var error = await Should.ThrowAsync<LiveKitException>(
            async () => await new LiveKitBackup(Repository, TimeProvider.System).RunAsync(options, null, CancellationToken.None));
        error.IsDenied.ShouldBeTrue();
        error.Message.ShouldContain("components.livekit.api_key and api_secret");
        error.Message.ShouldNotContain("PLANTED");
        Server.Calls.Count.ShouldBe(1);
        options.ToString().ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task A_snapshot_restores_to_a_folder_too()
    {
        var snapshot = await BackUpAsync();
        using var tree = new Files.TempTree();
        var roots = ObjectPath.Roots.Select(r => new RestoreRoot(r, tree[$"out/{r}"])).ToList();
        var report = await new TreeRestorer(Repository).RestoreAsync(snapshot, new TreeRestoreOptions(roots), null, CancellationToken.None);
        report.Files.ShouldBe(12);
        var path = tree["out/rooms/lobby/room.json"];
        (await File.ReadAllTextAsync(path)).ShouldContain("\"name\": \"lobby\"");
        File.GetUnixFileMode(path).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    [Theory]
    [InlineData("ws://h:7880", "http://h:7880/")]
    [InlineData("wss://h", "https://h/")]
    [InlineData("https://h/base?x=1", "https://h/base/")]
    public void The_address_may_be_that_of_the_web_socket(string url, string expected) =>
        new LiveKitConnection(url, "k", "s").HttpAddress.AbsoluteUri.ShouldBe(expected);
}
