using System.Text;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.LiveKit.Journal;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Tests.Components.Files;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.LiveKit;

public sealed class JournalTests : LiveKitWorld
{
    private static readonly string Body = LiveKitWebhook.Event("EV_a", "room_started", 1_764_230_400);

    [Fact]
    public void An_event_is_taken_only_whole_in_time_and_from_who_has_the_secret()
    {
        Problem(LiveKitWebhook.Sign(Body), Body).ShouldBeNull();
        Problem("Bearer " + LiveKitWebhook.Sign(Body), Body).ShouldBeNull();
        Problem(LiveKitWebhook.Sign(Body), Body + " ").ShouldBe("its body is not the one that was signed");
        Problem(LiveKitWebhook.Sign(Body, secret: "another"), Body).ShouldBe("its signature is wrong");
        Problem(LiveKitWebhook.Sign(Body, key: "another"), Body).ShouldBe("its token is of another key");
        Problem(LiveKitWebhook.Sign(Body, validSeconds: -90), Body).ShouldBe("its token has expired");
        Problem(LiveKitWebhook.Sign(Body, beginsSeconds: 90), Body).ShouldBe("its token is not valid yet");
        Problem(LiveKitWebhook.Sign(Body, algorithm: "none"), Body).ShouldBe("its token is not signed with HS256");
        foreach (var nonsense in new[] { "", "x", "a.b.c", "..", "Bearer ", new string('.', 10_000), "ä.ö.ü", LiveKitWebhook.Sign(Body)[..^3] })
            Problem(nonsense, Body).ShouldNotBeNull();
        // A token for calls of the API is none for events.
        var token = new FunctionsBackup.Components.LiveKit.Access.TokenMinter(Server.Connection, TimeProvider.System);
        Problem(token.Mint(FunctionsBackup.Components.LiveKit.Access.LiveKitGrant.ListRooms), Body).ShouldBe("its body is not the one that was signed");
    }

    [Theory]
    [InlineData("""{"event":"room_started","id":"EV_a","createdAt":"1","room":{"name":"lobby"}}""", true)]
    [InlineData("""{"event":"egress_ended","id":"EV_a","created_at":1,"egress_info":{"room_name":"lobby"}}""", true)]
    [InlineData("""{"event":"room_started","id":"EV_a"}""", false)]
    [InlineData("""{"event":"room_started","id":"","createdAt":"1"}""", false)]
    [InlineData("""{"event":"room_started","id":"a","id":"b","createdAt":"1"}""", false)]
    [InlineData("""{"event":"room_started","id":"a","createdAt":"99999999999999999"}""", false)]
    [InlineData("""{"event":"\ud800","id":"a","createdAt":"1"}""", false)]
    [InlineData("[]", false)]
    [InlineData("{", false)]
    public void Only_events_are_events(string body, bool isOne)
    {
        var item = JournalEvent.Parse(Encoding.UTF8.GetBytes(body));
        (item is not null).ShouldBe(isOne);
        if (item is not null) item.Room.ShouldBe("lobby");
    }

    [Fact]
    public async Task Events_are_read_once_each_in_the_order_in_which_they_happened_and_pruned_by_when_they_came()
    {
        var journal = new LiveKitJournal(Repository);
        var now = TimeProvider.System.GetUtcNow();
        await journal.AddAsync([Event("EV_c", 30), Event("EV_a", 10)], now.AddHours(-2), CancellationToken.None);
        await journal.AddAsync([Event("EV_b", 20), Event("EV_a", 10)], now, CancellationToken.None);
        (await journal.ReadAsync(now.AddDays(-1), CancellationToken.None)).Select(e => e.Id).ShouldBe(["EV_a", "EV_b", "EV_c"]);
        (await journal.ReadAsync(now.AddHours(-1), CancellationToken.None)).Select(e => e.Id).ShouldBe(["EV_a", "EV_b"]);
        var old = await journal.FindBeforeAsync(now.AddHours(-1), CancellationToken.None).ToListAsync();
        old.Count.ShouldBe(1);
        await Repository.Store.DeleteAsync(old[0].Name, CancellationToken.None);
        (await journal.ReadAsync(now.AddDays(-1), CancellationToken.None)).Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_snapshot_notes_up_to_which_event_it_is_and_knows_recordings_that_the_server_forgot()
    {
        using var tree = new TempTree();
        Directory.CreateDirectory(tree["recordings"]);
        await File.WriteAllBytesAsync(tree["recordings/other.mp4"], [1]);
        await new FilesBackup(Repository, TimeProvider.System).RunAsync(
            new FilesBackupOptions("voice_data", [tree["recordings"]]), null, CancellationToken.None);
        Server.State.Egress.Clear();
        const string info = """
            "egressInfo":{"egressId":"EG_old","roomName":"lobby","status":"EGRESS_COMPLETE","endedAt":"1000000000","fileResults":[{"filename":"calls/forgotten.mp4","size":"9"}]}
            """;
        var ended = JournalEvent.Parse(Encoding.UTF8.GetBytes(LiveKitWebhook.Event("EV_z", "egress_ended", 40, info)))!;
        await new LiveKitJournal(Repository).AddAsync([ended, Event("EV_a", 10)], TimeProvider.System.GetUtcNow(), CancellationToken.None);
        var snapshot = await BackUpAsync();
        LiveKitBackupDetails.FromJson(snapshot.Details)!.Journal.ShouldBe(new JournalPosition(2, "EV_z", DateTimeOffset.FromUnixTimeSeconds(40)));
        snapshot.Warnings.Single().ShouldContain("calls/forgotten.mp4 of egress EG_old");
    }

    private string? Problem(string authorization, string body) =>
        new WebhookVerifier(Server.Connection, TimeProvider.System).FindProblem(authorization, Encoding.UTF8.GetBytes(body));

    private static JournalEvent Event(string id, long at) => JournalEvent.Parse(Encoding.UTF8.GetBytes(LiveKitWebhook.Event(id, "room_started", at)))!;
}
