using System.Text.Json.Nodes;
using FunctionsBackup.Cli.Output;
using FunctionsBackup.Cli.Running.Work;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Cli.Running.Restoring;

/// <summary>Restores by the same orchestration as everything else, and says what was done.</summary>
internal static class RestoreRun
{
    public static async Task<int> RunAsync(CommandContext context, RestoreRequest request, CancellationToken cancellationToken)
    {
        await using var host = await WorkHost.StartAsync(context, cancellationToken); // while the key is being derived
        var repository = await context.OpenForReadingAsync(request.FromReplica, cancellationToken);
        await RepositoryWarnings.SayAsync(context, repository, request.Component, cancellationToken);
        if (request.Component == "configuration") await ShowChangesAsync(context, repository, request, cancellationToken);
        var start = await new RestoreStarter(context.Site).StartAsync(host.Client, request with { RequestedBy = "cli" }, cancellationToken);
        context.Audit.Instance = start.InstanceId;
        if (!start.Started) throw new UsageException(
            $"{start.InstanceId} is restoring into that target already; 'fbackup work follow {start.InstanceId}' shows it.");
        var result = await WorkRun.FollowAsync<RestoreResult>(
            context, host, start.InstanceId, $"restore {request.Component}", cancellationToken);
        foreach (var warning in result.Warnings) context.Printer.Warn(warning);
        if (result.WarningCount > result.Warnings.Count) context.Printer.Warn($"…and {result.WarningCount - result.Warnings.Count} more.");
        foreach (var path in result.Damaged) context.Printer.Warn($"{path} could not be restored, because the repository is damaged.");
        if (result.DamagedCount > result.Damaged.Count)
            context.Printer.Warn($"…and {result.DamagedCount - result.Damaged.Count} files more, for the same reason.");
        if (result.Failure is { } failure)
        {
            context.Printer.Error(failure.Sentence);
            return result.ExitCode;
        }

        context.Printer.LongResult(() => ToJson(start.InstanceId, request, result), output => Write(output, request, result));
        return result.ExitCode;
    }

    /// <summary>What will become different, before anything does.</summary>
    private static async Task ShowChangesAsync(
        CommandContext context, BackupRepository repository, RestoreRequest request, CancellationToken cancellationToken)
    {
        var snapshot = await FilesRestores.FindAsync(repository, request, cancellationToken);
        if (await ConfigurationView.AgainstTargetAsync(context.Site, repository, snapshot, request.Target, cancellationToken) is not { } changes) return;
        foreach (var line in changes.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)) context.Printer.Note(line);
        context.Printer.Note($"configuration: {changes.Summary()} in {request.Target}");
    }

    private static void Write(TextWriter output, RestoreRequest request, RestoreResult result)
    {
        var took = Human.Time(TimeSpan.FromSeconds(result.Seconds));
        if (result.LiveKit is { } livekit)
        {
            output.WriteLine(
                $"Restored {result.Plan?.SnapshotId} to {livekit.Server} in {took}: {livekit.Created} created, {livekit.Kept} were there, {livekit.Deleted} deleted, "
                + $"{livekit.Started} recordings started, {livekit.Failed} failed.");
            output.WriteLine($"The map of old to new ids is in {livekit.IdMap}.");
            return;
        }

        if (result.Logical is { } logical)
        {
            output.WriteLine(
                $"Restored {result.Plan?.SnapshotId} to {request.Target} in {took}: {Human.Count(logical.Databases, "database", "databases")}, "
                + $"{Human.Count(logical.Tables, "table", "tables")}, {Human.Count(logical.Rows, "row", "rows")}, {Human.Bytes(result.Bytes)}.");
            return;
        }

        if (result.Redis is { } redis)
        {
            output.WriteLine(
                $"Restored {result.Plan?.SnapshotId} to {request.Target} in {took}: {Human.Count(redis.Keys, "key", "keys")}, {Human.Bytes(result.Bytes)} of values; "
                + $"{redis.Expired} had expired, {redis.Deleted} others were deleted, {redis.Failed} failed.");
            if (!RedisRestores.IsServer(request.Target)) output.WriteLine("Start the server with this folder as its dir, and appendonly no for the first time.");
            return;
        }

        var what = $"Restored {result.Plan?.SnapshotId} to {request.Target}: {Human.Count(result.Files, "file", "files")}, {Human.Bytes(result.Bytes)}";
        output.WriteLine(request.Component == "postgres"
            ? $"{what}, {Human.Bytes(result.WalBytes)} of WAL in {took}."
            : $"{what}, {Human.Bytes(result.WrittenBytes)} written in {took}.");
        if (request.Component == "postgres" && result.Plan is { } plan)
            output.WriteLine($"Start PostgreSQL {plan.ServerVersion / 10_000} on it: it recovers to {plan.Goal} by itself.");
    }

    private static JsonObject ToJson(string instanceId, RestoreRequest request, RestoreResult result)
    {
        var json = new JsonObject
        {
            ["instance"] = instanceId,
            ["recovery_point"] = result.Plan?.SnapshotId,
            ["component"] = request.Component,
            ["target"] = request.Target,
            ["files"] = result.Files,
            ["bytes"] = result.Bytes,
            ["written_bytes"] = result.WrittenBytes,
            ["seconds"] = result.Seconds,
            ["warnings"] = new JsonArray([.. result.Warnings.Select(w => JsonValue.Create(w))]),
        };
        if (result.LiveKit is { } livekit)
        {
            json["server"] = livekit.Server;
            (json["created"], json["kept"], json["deleted"]) = (livekit.Created, livekit.Kept, livekit.Deleted);
            (json["started"], json["failed"], json["id_map"]) = (livekit.Started, livekit.Failed, livekit.IdMap);
            json["ids"] = new JsonArray([.. livekit.Ids.Select(i => new JsonObject
            {
                ["kind"] = i.Kind, ["name"] = i.Name, ["old_id"] = i.OldId, ["new_id"] = i.NewId,
            })]);
        }
        else if (result.Logical is { } logical)
        {
            (json["databases"], json["tables"], json["rows"]) = (logical.Databases, logical.Tables, logical.Rows);
        }
        else if (result.Redis is { } redis)
        {
            (json["keys"], json["expired"], json["deleted"]) = (redis.Keys, redis.Expired, redis.Deleted);
            (json["failed"], json["functions"]) = (redis.Failed, redis.Functions);
        }
        else if (request.Component == "postgres") AddPlan(json, result);
        else json["damaged"] = new JsonArray([.. result.Damaged.Select(d => JsonValue.Create(d))]);
        return json;
    }

    private static void AddPlan(JsonObject json, RestoreResult result)
    {
        json["wal_bytes_written"] = result.WalBytes;
        if (result.Plan is not { } plan) return;
        json["in_place"] = plan.InPlace;
        json["goal"] = plan.Goal;
        json["stop_lsn"] = plan.StopLsn;
        json["timeline"] = plan.Timeline;
        json["last_commit"] = plan.LastCommit is { } commit ? Human.Iso(commit) : null;
        json["window"] = plan.Window is not { } window ? null : new JsonObject
        {
            ["begin_lsn"] = window.BeginLsn,
            ["begin_time"] = Human.Iso(window.BeginTime),
            ["end_lsn"] = window.EndLsn,
            ["end_time"] = window.EndTime is { } end ? Human.Iso(end) : null,
            ["gap"] = window.Gap,
        };
        json["stored_bytes"] = plan.StoredBytes;
        json["requests"] = plan.Requests;
        json["wal_bytes"] = plan.WalBytes;
        json["estimated_seconds"] = plan.EstimatedSeconds;
        json["objective_seconds"] = plan.ObjectiveSeconds;
        json["meets_objective"] = plan.MeetsObjective;
    }
}
