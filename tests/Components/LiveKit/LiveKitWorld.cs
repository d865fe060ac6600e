using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit;
using FunctionsBackup.Components.LiveKit.Restore;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Components.LiveKit;

/// <summary>A LiveKit server with a little of everything, and a repository in memory.</summary>
public abstract class LiveKitWorld : IAsyncLifetime
{
    protected LiveKitServer Server { get; private set; } = null!;

    protected BackupRepository Repository { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Server = await LiveKitServer.StartAsync();
        Repository = await TestRepository.CreateAsync();
        Fill(Server.State);
    }

    public async Task DisposeAsync()
    {
        await Repository.DisposeAsync();
        await Server.DisposeAsync();
    }

    protected ValueTask<Snapshot> BackUpAsync(CancellationToken cancellationToken = default) =>
        new LiveKitBackup(Repository, TimeProvider.System).RunAsync(new LiveKitBackupOptions(Server.Connection), null, cancellationToken);

    protected async Task<LiveKitRestoreReport> RestoreAsync(Snapshot snapshot, bool exact = false, bool restartEgress = false) =>
        await new LiveKitRestore(Repository, Server.Connection, TimeProvider.System).RunAsync(
            snapshot, new LiveKitRestoreOptions { Exact = exact, RestartEgress = restartEgress }, _ => { }, null, CancellationToken.None);

    /// <summary>Paths to texts, of all files in the snapshot.</summary>
    protected async Task<SortedDictionary<string, string>> FilesAsync(Snapshot snapshot)
    {
        var files = new SortedDictionary<string, string>(StringComparer.Ordinal);
        await foreach (var entry in Repository.ReadCatalogAsync(snapshot, CancellationToken.None))
        {
            if (entry.Content is null) continue;
            using var reader = new StreamReader(Repository.OpenContent(entry.Content));
            files.Add(Encoding.UTF8.GetString(entry.Path.Span), await reader.ReadToEndAsync());
        }

        return files;
    }

    protected static void Fill(LiveKitState state)
    {
        state.InboundTrunks.Add(Json("""
            {"sip_trunk_id":"ST_a","name":"support","numbers":["+4930111","+4930222"],"allowed_addresses":[],"auth_username":"sip","auth_password":"trunk-PLANTED",
             "krisp_enabled":true,"created_at":"2026-11-01T00:00:00Z","field_of_tomorrow":{"z":1,"a":[1.50,"9007199254740993"]}}
            """));
        state.InboundTrunks.Add(Json("""{"sip_trunk_id":"ST_b","name":"sales","numbers":["+4930333"],"created_at":"2026-11-01T00:00:00Z"}"""));
        state.OutboundTrunks.Add(Json("""{"sip_trunk_id":"ST_c","name":"out","address":"sip.example.com","numbers":["+4930444"],"auth_username":"","auth_password":""}"""));
        state.Rules.Add(Json("""
            {"sip_dispatch_rule_id":"SDR_a","name":"to agents","trunk_ids":["ST_b","ST_a"],"rule":{"dispatch_rule_individual":{"room_prefix":"call-","pin":"PIN-PLANTED"}},
             "room_config":{"agents":[{"agent_name":"receptionist"}]}}
            """));
        state.Ingress.Add(Json("""
            {"ingress_id":"IN_u","name":"radio","input_type":"URL_INPUT","url":"https://radio.example/live","room_name":"lobby","participant_identity":"radio","stream_key":"","enabled":true}
            """));
        state.Ingress.Add(Json("""
            {"ingress_id":"IN_a","name":"studio","input_type":"RTMP_INPUT","url":"rtmp://here/live","stream_key":"stream-PLANTED","room_name":"lobby",
             "participant_identity":"studio","enabled":true,"state":{"status":"ENDPOINT_INACTIVE","updated_at":"1764230400000000000"}}
            """));
        state.Rooms.Add(Json("""
            {"sid":"RM_a","name":"lobby","empty_timeout":300,"departure_timeout":20,"max_participants":50,"creation_time":"1764230400","metadata":"{\"a\":1}","turn_password":"turn-PLANTED"}
            """));
        state.Rooms.Add(Json("""{"sid":"RM_b","name":"../Straße 7/a\u0000b","empty_timeout":3600,"max_participants":0,"creation_time":"1764230400","metadata":""}"""));
        state.Participants["lobby"] = [Json("""{"sid":"PA_a","identity":"caller/1","name":"Ada","joined_at":"1764230401","state":"ACTIVE"}""")];
        state.Dispatches["lobby"] = [Json("""{"id":"AD_a","agent_name":"receptionist","room":"lobby","metadata":"de","state":{"jobs":[],"created_at":"1"}}""")];
        state.Egress.Add(Egress("EG_a", "calls/one.mp4", 1000));
        state.Egress.Add(Json("""
            {"egress_id":"EG_run","room_name":"lobby","status":"EGRESS_ACTIVE","ended_at":"0","room_composite":{"room_name":"lobby","layout":"grid","file_outputs":[{"filepath":"calls/two.mp4"}]}}
            """));
    }

    protected static JsonObject Egress(string id, string file, long size, DateTimeOffset? endedAt = null)
    {
        var nanoseconds = ((endedAt ?? new DateTimeOffset(2026, 11, 1, 0, 0, 0, TimeSpan.Zero)) - DateTimeOffset.UnixEpoch).Ticks * 100;
        return new JsonObject
        {
            ["egress_id"] = id,
            ["room_name"] = "lobby",
            ["status"] = "EGRESS_COMPLETE",
            ["ended_at"] = nanoseconds.ToString(CultureInfo.InvariantCulture),
            ["file_results"] = new JsonArray(new JsonObject
            {
                ["filename"] = file, ["location"] = $"https://bucket.s3.amazonaws.com/{file}", ["size"] = size.ToString(CultureInfo.InvariantCulture),
            }),
        };
    }

    protected static JsonObject Json(string text) => JsonNode.Parse(text)!.AsObject();
}
