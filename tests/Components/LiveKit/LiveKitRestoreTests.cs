using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit;
using FunctionsBackup.Components.LiveKit.Restore;

namespace FunctionsBackup.Tests.Components.LiveKit;

public sealed class LiveKitRestoreTests : LiveKitWorld
{
    [Fact]
    public async Task All_is_made_again_in_an_empty_server_with_references_that_fit_and_a_map_of_ids()
    {
        var snapshot = await BackUpAsync();
        Server.State.Clear();
        Server.Calls.Clear();
        var report = await RestoreAsync(snapshot);
        report.Failures.ShouldBeEmpty();
        (report.Created, report.Kept, report.Deleted, report.Started).ShouldBe((9, 0, 0, 0));
        Server.Calls.Where(c => !c.Contains("/List", StringComparison.Ordinal)).ShouldBe(
        [
            "SIP/CreateSIPInboundTrunk", "SIP/CreateSIPInboundTrunk", "SIP/CreateSIPOutboundTrunk", "SIP/CreateSIPDispatchRule", "Ingress/CreateIngress",
            "Ingress/CreateIngress", "RoomService/CreateRoom", "RoomService/CreateRoom", "AgentDispatchService/CreateDispatch",
        ]);

        var map = report.Ids.ToDictionary(i => i.OldId, i => i.NewId);
        map.Keys.ShouldBe(["ST_a", "ST_b", "ST_c", "SDR_a", "IN_a", "IN_u", "RM_a", "RM_b", "AD_a"], ignoreOrder: true);
        var trunk = Server.State.InboundTrunks.Single(t => t["name"]!.ToString() == "support");
        trunk["sip_trunk_id"]!.ToString().ShouldBe(map["ST_a"]);
        trunk["auth_password"]!.ToString().ShouldBe("trunk-PLANTED");
        trunk["field_of_tomorrow"]!["z"]!.ToString().ShouldBe("1");
        trunk.ContainsKey("created_at").ShouldBeFalse();
        Server.State.Rules.Single()["trunk_ids"]!.AsArray().Select(t => t!.ToString()).ShouldBe([map["ST_b"], map["ST_a"]]);
        Server.State.Rules.Single()["room_config"]!["agents"]![0]!["agent_name"]!.ToString().ShouldBe("receptionist");
        Server.State.Ingress.Select(i => i["name"]!.ToString()).ShouldBe(["studio", "radio"]); // what pulls comes last
        Server.State.Ingress[0]["stream_key"]!.ToString().ShouldNotBe("stream-PLANTED");
        var lobby = Server.State.Rooms.Single(r => r["name"]!.ToString() == "lobby");
        lobby["metadata"]!.ToString().ShouldBe("{\"a\":1}");
        lobby["empty_timeout"]!.GetValue<long>().ShouldBe(600); // outlives the time until clients are back
        lobby.ContainsKey("turn_password").ShouldBeFalse();
        Server.State.Dispatches["lobby"].Single()["metadata"]!.ToString().ShouldBe("de");
        report.Plan.Warnings.ShouldContain(w => w.Contains("1 participants are not restored"));
        report.Plan.Warnings.ShouldContain(w => w.Contains("new stream keys"));
        report.Plan.Warnings.ShouldContain(w => w.Contains("--restart-egress"));
        string.Concat(report.Plan.Warnings).ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task Again_it_changes_nothing()
    {
        var snapshot = await BackUpAsync();
        Server.State.Clear();
        await RestoreAsync(snapshot);
        Server.Calls.Clear();
        var report = await RestoreAsync(snapshot);
        (report.Created, report.Kept, report.Deleted).ShouldBe((0, 9, 0));
        Server.Calls.ShouldAllBe(c => c.Contains("/List"));
        report.Ids.Single(i => i.OldId == "ST_a").NewId.ShouldStartWith("ST_new");
    }

    [Fact]
    public async Task A_restore_that_broke_off_goes_on()
    {
        var snapshot = await BackUpAsync();
        Server.State.Clear();
        var creations = 0;
        Server.OnCall = method =>
        {
            if (method.Contains("/Create") && ++creations == 5) Server.DiesAfter = 0;
            return Task.CompletedTask;
        };
        (await Should.ThrowAsync<LiveKitException>(() => RestoreAsync(snapshot))).IsTransient.ShouldBeTrue();
        (Server.OnCall, Server.DiesAfter) = (null, -1);
        var report = await RestoreAsync(snapshot);
        (report.Created, report.Kept).ShouldBe((5, 4));
        Server.State.Ingress.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Merge_keeps_what_is_there_and_exact_deletes_what_the_snapshot_has_not()
    {
        var snapshot = await BackUpAsync();
        // One is gone, one came, one came that stands in the way of one that is gone.
        Server.State.InboundTrunks.RemoveAt(0);
        Server.State.InboundTrunks.Add(Json("""{"sip_trunk_id":"ST_new","name":"intruder","numbers":["+4930111"]}"""));
        Server.State.Rooms.Add(Json("""{"sid":"RM_new","name":"new room"}"""));
        Server.State.InboundTrunks[0]["krisp_enabled"] = true;
        var merged = await RestoreAsync(snapshot);
        merged.Deleted.ShouldBe(0);
        merged.Failures.Single().ShouldContain("Conflicting inbound SIP Trunks");
        merged.Plan.Warnings.ShouldContain(w => w.StartsWith("1 objects of the same names are there with other settings"));
        merged.Plan.Warnings.ShouldContain(w => w.StartsWith("Dispatch rule to agents (SDR_a)"));
        Server.State.InboundTrunks.Count.ShouldBe(2);

        var exact = await RestoreAsync(snapshot, exact: true);
        exact.Failures.ShouldBeEmpty();
        (exact.Deleted, exact.Created).ShouldBe((2, 1));
        Server.State.InboundTrunks.Select(t => t["name"]!.ToString()).ShouldBe(["sales", "support"]);
        Server.State.Rooms.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_plan_lists_every_call_and_makes_none()
    {
        var snapshot = await BackUpAsync();
        Server.State.Clear();
        Server.State.Rooms.Add(Json("""{"sid":"RM_x","name":"extra"}"""));
        Server.Calls.Clear();
        var plan = await new LiveKitRestore(Repository, Server.Connection, TimeProvider.System).PlanAsync(
            snapshot, new LiveKitRestoreOptions { Exact = true }, CancellationToken.None);
        plan.Steps[0].ShouldSatisfyAllConditions(s => s.Action.ShouldBe(RestoreAction.Delete), s => s.Call.ShouldBe("RoomService/DeleteRoom"), s => s.Shown.ShouldBe("extra"));
        plan.Count(RestoreAction.Create).ShouldBe(9);
        Server.Calls.ShouldAllBe(c => c.Contains("/List"));
        string.Concat(plan.Steps.Select(s => $"{s.Shown} {s.Call}")).ShouldNotContain("PLANTED");
    }

    [Fact]
    public async Task Recordings_start_again_only_when_asked_and_into_new_files()
    {
        Server.State.Egress.Add(Json("""
            {"egress_id":"EG_s3","room_name":"lobby","status":"EGRESS_ACTIVE","ended_at":"0","web":{"url":"https://x","file_outputs":[{"filepath":"w.mp4","s3":{"access_key":"{access_key}","bucket":"b"}}]}}
            """));
        var snapshot = await BackUpAsync();
        Server.State.Clear();
        var report = await RestoreAsync(snapshot, restartEgress: true);
        report.Started.ShouldBe(1);
        Server.State.Egress.Single()["room_composite"]!["file_outputs"]![0]!["filepath"]!.ToString().ShouldMatch(@"^calls/two-restored-\d{8}T\d{6}Z\.mp4$");
        report.Plan.Warnings.ShouldContain(w => w.Contains("EG_s3") && w.Contains("credentials of its own"));
        (await RestoreAsync(snapshot, restartEgress: true)).Started.ShouldBe(0);
    }

    [Fact]
    public async Task A_rule_whose_trunk_could_not_be_restored_is_not_made_for_all_trunks()
    {
        Server.State.Rules[0]["trunk_ids"] = new JsonArray("ST_gone");
        var snapshot = await BackUpAsync();
        Server.State.Clear();
        var report = await RestoreAsync(snapshot);
        report.Failures.Single().ShouldContain("trunk ST_gone");
        Server.State.Rules.ShouldBeEmpty();
        report.Created.ShouldBe(8);
    }

    [Fact]
    public async Task A_wrong_secret_stops_all()
    {
        var snapshot = await BackUpAsync();
        var restore = new LiveKitRestore(Repository, Server.Connection with { ApiSecret = "wrong" }, TimeProvider.System);
        var error = await Should.ThrowAsync<LiveKitException>(
            async () => await restore.RunAsync(snapshot, new LiveKitRestoreOptions(), _ => { }, null, CancellationToken.None));
        error.IsDenied.ShouldBeTrue();
    }
}
