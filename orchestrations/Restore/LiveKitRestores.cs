using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Restore;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Restores into a LiveKit server. Into a folder, its snapshots go as files do.</summary>
public static class LiveKitRestores
{
    /// <summary>The target that means the server of <c>components.livekit</c>.</summary>
    public const string Server = "server";

    private const int MaximumListed = 20;
    private const int MaximumIds = 200;

    private static readonly JsonSerializerOptions MapOptions = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static bool IsServer(RestoreRequest request) => request is { Component: "livekit", Target: Server };

    /// <summary>Checks what is of LiveKit alone. True: the request is one into a server, and makes sense.</summary>
    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public static bool Check(RestoreRequest request)
    {
        if (!IsServer(request))
        {
            if (request.Exact || request.RestartEgress || request.IdMap is not null)
                throw new InvalidRequestException("exact, restart_egress and id_map go with a restore of livekit to the target 'server' only.");
            return false;
        }

        if (request.Delta || request.Overwrite || request.Staging || request.DeleteExtra || request.OwnersByName || request.Include.Count > 0)
            throw new InvalidRequestException("Options of files have no meaning for a restore into a LiveKit server; leave them out, or restore to a folder.");
        if (request.ToLsn is not null || request.ToName is not null || request.ToXid is not null || request.ToBackup || request.RestoreCommand is not null)
            throw new InvalidRequestException("A target in the WAL has no meaning for livekit; leave it out.");
        if ((request.ToTime is not null || request.BeforeAnomaly) && request.Point != "latest")
            throw new InvalidRequestException("to_time and before_anomaly go with latest: they choose the recovery point by themselves.");
        if (request.IdMap is { } map && !Path.IsPathFullyQualified(map)) throw new InvalidRequestException("The file for the map of ids must be an absolute path.");
        return true;
    }

    /// <summary>Finds the recovery point, and says what would be done.</summary>
    public static async Task<LiveKitRestorePlan> PlanAsync(
        BackupSite site, BackupRepository repository, RestoreRequest request, CancellationToken cancellationToken)
    {
        var snapshot = await FilesRestores.FindAsync(repository, request, cancellationToken);
        return await new LiveKitRestore(repository, LiveKitAccess.Connect(site), site.Time).PlanAsync(snapshot, Options(request), cancellationToken);
    }

    /// <summary>Restores, or only says how.</summary>
    internal static async Task<RestoreResult> RunAsync(BackupSite site, BackupRepository repository, RestoreWork work, ActivityWatch watch)
    {
        var request = work.Request;
        if (request.PlanOnly)
        {
            var plan = await PlanAsync(site, repository, request, watch.Token);
            return new RestoreResult { Outcome = RunOutcome.Complete, ExitCode = plan.Warnings.Count > 0 ? 3 : 0, Plan = Summary(plan) };
        }

        var began = site.Time.GetTimestamp();
        var snapshot = await FilesRestores.FindAsync(repository, request, watch.Token);
        var map = request.IdMap ?? Path.Combine(
            site.Options.StateFolder ?? StateFolder.FindOrTemporary(site.Options.Environment, site.Options.ConfigurationFile),
            "restores", $"{work.InstanceId}-ids.json");
        var ids = new List<MappedId>();
        LiveKitRestoreReport report;
        try
        {
            report = await new LiveKitRestore(repository, LiveKitAccess.Connect(site), site.Time).RunAsync(
                snapshot, Options(request), ids.Add, watch, watch.Token);
        }
        finally
        {
            await WriteMapAsync(map, snapshot, request, ids); // also of a restore that broke off
        }

        return Result(report, map, site.Time.GetElapsedTime(began));
    }

    private static RestoreResult Result(LiveKitRestoreReport report, string map, TimeSpan took) => new()
    {
        Outcome = report.Failures.Count > 0 ? RunOutcome.Partial : RunOutcome.Complete,
        ExitCode = report.Failures.Count > 0 ? 1 : report.Plan.Warnings.Count > 0 ? 3 : 0,
        Plan = Summary(report.Plan),
        Files = report.Created + report.Kept,
        Seconds = took.TotalSeconds,
        WarningCount = report.Failures.Count + report.Plan.Warnings.Count,
        Warnings = [.. report.Failures.Concat(report.Plan.Warnings).Take(MaximumListed)],
        LiveKit = new LiveKitRestored
        {
            Server = report.Plan.Server,
            Created = report.Created,
            Kept = report.Kept,
            Deleted = report.Deleted,
            Started = report.Started,
            Failed = report.Failures.Count,
            IdMap = map,
            Ids = [.. report.Ids.Take(MaximumIds).Select(i => new RestoredId(i.Kind, i.Name, i.OldId, i.NewId))],
        },
    };

    private static RestorePlanSummary Summary(LiveKitRestorePlan plan) => new()
    {
        SnapshotId = plan.Snapshot.Id, Files = plan.Steps.Count, Requests = plan.Steps.Count(s => s.Call is not null), Warnings = [.. plan.Warnings.Take(MaximumListed)],
    };

    private static LiveKitRestoreOptions Options(RestoreRequest request) => new() { Exact = request.Exact, RestartEgress = request.RestartEgress };

    /// <summary>The map: ids by kind, old to new, with the names that people know.</summary>
    private static async Task WriteMapAsync(string path, Snapshot snapshot, RestoreRequest request, IReadOnlyList<MappedId> ids)
    {
        var json = new JsonObject
        {
            ["recovery_point"] = snapshot.Id,
            ["mode"] = request.Exact ? "exact" : "merge",
            ["ids"] = new JsonArray([.. ids.Select(i => new JsonObject { ["kind"] = i.Kind, ["name"] = i.Name, ["old_id"] = i.OldId, ["new_id"] = i.NewId })]),
        };
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var beside = $"{path}.{Guid.NewGuid():N}.tmp";
            await File.WriteAllTextAsync(beside, json.ToJsonString(MapOptions) + "\n", CancellationToken.None);
            File.Move(beside, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"The map of old to new ids cannot be written to {path} ({e.Message}); name another file with --id-map and restore again.", e);
        }
    }
}
