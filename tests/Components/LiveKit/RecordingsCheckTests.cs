using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.LiveKit.Reconciliation;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Tests.Components.Files;

namespace FunctionsBackup.Tests.Components.LiveKit;

public sealed class RecordingsCheckTests : LiveKitWorld
{
    [Fact]
    public async Task What_the_egress_catalogue_names_and_the_backup_lacks_is_a_warning()
    {
        using var tree = new TempTree();
        Directory.CreateDirectory(tree["recordings/calls"]);
        await File.WriteAllBytesAsync(tree["recordings/calls/one.mp4"], new byte[1000]);
        await File.WriteAllBytesAsync(tree["recordings/calls/cut.mp4"], new byte[7]);
        await new FilesBackup(Repository, TimeProvider.System).RunAsync(
            new FilesBackupOptions("voice_data", [tree["recordings"]]), null, CancellationToken.None);
        Server.State.Egress.Add(Egress("EG_b", "out/recordings/calls/cut.mp4", 70));
        Server.State.Egress.Add(Egress("EG_c", "calls/gone.mp4", 70));
        Server.State.Egress.Add(Egress("EG_d", "calls/new.mp4", 70, TimeProvider.System.GetUtcNow().AddMinutes(1)));
        Server.State.Egress.Add(Egress("EG_e", "other/one.mp4", 1000)); // another folder's

        var snapshot = await BackUpAsync();
        snapshot.Warnings.Count.ShouldBe(3);
        snapshot.Warnings.ShouldContain(w => w.Contains("calls/cut.mp4 of egress EG_b has 70 bytes") && w.Contains("holds 7"));
        snapshot.Warnings.ShouldContain(w => w.Contains("calls/gone.mp4 of egress EG_c is not in"));
        snapshot.Warnings.ShouldContain(w => w.Contains("other/one.mp4 of egress EG_e is not in"));
        var summary = LiveKitBackupDetails.FromJson(snapshot.Details)!.Recordings!;
        (summary.Recordings, summary.Held, summary.Missing, summary.Different, summary.Pending).ShouldBe((5, 1, 2, 1, 1));
        (await EgressCatalogue.ReadAsync(Repository, snapshot, CancellationToken.None)).Count.ShouldBe(5);
    }

    [Fact]
    public async Task Without_recordings_in_the_backup_nothing_is_compared() =>
        LiveKitBackupDetails.FromJson((await BackUpAsync()).Details)!.Recordings.ShouldBeNull();

    [Theory]
    [InlineData("""{"egress_id":"E","ended_at":"0","file_results":[{"filename":"a"}]}""", 0)]
    [InlineData("""{"egress_id":"E","ended_at":"1","file_results":[],"file":{"filename":"a","size":"3"}}""", 1)]
    [InlineData("""{"egress_id":"E","ended_at":"9223372036854775807","segment_results":[{"playlist_name":"a.m3u8"}],"file_results":["x",{"filename":7},{"filename":"b"}]}""", 2)]
    [InlineData("""{"ended_at":"1"}""", 0)]
    [InlineData("""[]""", 0)]
    public void Whatever_an_egress_says_is_read(string egress, int recordings) =>
        Recording.Of(JsonSerializer.SerializeToElement(JsonNode.Parse(egress))).Count.ShouldBe(recordings);
}
