using System.Text;
using FunctionsBackup.Components.Redis.Protocol;
using FunctionsBackup.Components.Redis.Restore;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Components.Redis.Sources;
using FunctionsBackup.Operations.Configuration.Values;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Restores of Redis: into a folder that a server starts from, or into a server that runs.</summary>
public static class RedisRestores
{
    /// <summary>The target that means the server of <c>components.redis</c>.</summary>
    public const string Server = "server";

    private const int MaximumListed = 20;

    /// <summary>Whether the target is a server: the configured one, or one whose connection a secret holds.</summary>
    public static bool IsServer(string target) => target == Server || Another(target) is not null;

    /// <summary>Checks what is of Redis alone. True: the request is one of Redis, and makes sense.</summary>
    /// <exception cref="InvalidRequestException">The request makes no sense.</exception>
    public static bool Check(RestoreRequest request)
    {
        if (request.Component != "redis")
        {
            if (request.Databases.Count > 0 || request.Match is not null || request.RenamePrefix is not null)
                throw new InvalidRequestException("db, match and rename_prefix go with a restore of redis only.");
            return false;
        }

        if (request.Delta || request.Staging || request.DeleteExtra || request.OwnersByName || request.Include.Count > 0)
            throw new InvalidRequestException("Options of files have no meaning for redis; choose keys with db and match.");
        if (request.ToLsn is not null || request.ToName is not null || request.ToXid is not null || request.ToBackup || request.RestoreCommand is not null
            || request.Inclusive || request.Exclusive || request.TablespaceMap.Count > 0)
            throw new InvalidRequestException("A target in the WAL has no meaning for redis; leave it out.");
        if (request.RestartEgress || request.IdMap is not null) throw new InvalidRequestException("restart_egress and id_map go with a restore of livekit only.");
        if ((request.ToTime is not null || request.BeforeAnomaly) && request.Point != "latest")
            throw new InvalidRequestException("to_time and before_anomaly go with latest: they choose the recovery point by themselves.");
        if (!IsServer(request.Target) && (!Path.IsPathFullyQualified(request.Target) || request.Target.Contains('\0')))
            throw new InvalidRequestException("The target must be an absolute path, 'server', or env:NAME or file:PATH with the connection of a server.");
        if (request.Exact && !IsServer(request.Target)) throw new InvalidRequestException("exact goes with a server as target only.");
        if (request.Databases.Any(d => d is < 0 or > 1_000_000)) throw new InvalidRequestException("The number of a database is 0 or more.");
        Selection(request);
        return true;
    }

    internal static async Task<RestoreResult> RunAsync(BackupSite site, BackupRepository repository, RestoreRequest request, ActivityWatch watch)
    {
        if (request.PlanOnly)
        {
            var plan = await PlanAsync(site, repository, request, watch.Token);
            return new RestoreResult { Outcome = RunOutcome.Complete, ExitCode = plan.Refusal is not null ? 3 : 0, Plan = plan.Summary };
        }

        var began = site.Time.GetTimestamp();
        var snapshot = await FilesRestores.FindAsync(repository, request, watch.Token);
        var selection = Selection(request);
        RedisRestoreReport report;
        if (IsServer(request.Target))
        {
            var options = new RedisServerRestoreOptions(RedisAccess.Connect(site, Another(request.Target)))
            {
                Selection = selection, Replace = request.Overwrite, Exact = request.Exact, Parallelism = site.Parallelism,
            };
            report = await new RedisServerRestore(repository, site.Time).RunAsync(snapshot, options, watch, watch.Token);
        }
        else
        {
            report = await new RedisDirectoryRestore(repository, site.Time).RunAsync(snapshot, request.Target, selection, request.Overwrite, watch, watch.Token);
        }

        var notes = report.Failures.Concat(report.Warnings).ToList();
        return new RestoreResult
        {
            Outcome = report.Failed > 0 ? RunOutcome.Partial : RunOutcome.Complete,
            ExitCode = report.Failed > 0 ? 1 : report.Warnings.Count > 0 ? 3 : 0,
            Plan = new RestorePlanSummary { SnapshotId = snapshot.Id, Files = report.TotalKeys, Bytes = report.Bytes },
            Files = report.TotalKeys,
            Bytes = report.Bytes,
            WrittenBytes = report.Bytes,
            Seconds = site.Time.GetElapsedTime(began).TotalSeconds,
            WarningCount = notes.Count,
            Warnings = [.. notes.Take(MaximumListed)],
            Redis = new RedisRestored(report.TotalKeys, report.Expired, report.Deleted, report.Failed, report.Functions),
        };
    }

    /// <summary>Says what would be restored, and whether the target would take it. Changes nothing.</summary>
    public static async Task<RedisPlan> PlanAsync(BackupSite site, BackupRepository repository, RestoreRequest request, CancellationToken cancellationToken)
    {
        var snapshot = await FilesRestores.FindAsync(repository, request, cancellationToken);
        var reader = await RedisSnapshotReader.OpenAsync(repository, snapshot, cancellationToken);
        var selection = Selection(request);
        var (keys, bytes) = (new SortedDictionary<int, long>(), 0L);
        if (selection.IsAll)
        {
            foreach (var (database, count) in reader.Details.Keys) keys[int.Parse(database, System.Globalization.CultureInfo.InvariantCulture)] = count;
            bytes = reader.Details.ValueBytes;
        }
        else
        {
            await foreach (var (record, _) in reader.ReadAsync(null, cancellationToken))
            {
                if (!selection.Includes(record)) continue;
                keys[record.Database] = keys.GetValueOrDefault(record.Database) + 1;
                bytes += record.ValueLength;
            }
        }

        var refusal = await RefusalAsync(site, reader.Details, request, cancellationToken);
        var estimate = Components.Estimates.RestoreRates.Keys(bytes);
        var objective = site.Configuration.Objectives.For("redis").Rto;
        return new RedisPlan(snapshot.Id, reader.Details, keys, bytes, refusal, new RestorePlanSummary
        {
            SnapshotId = snapshot.Id, Files = keys.Values.Sum(), Bytes = bytes, EstimatedSeconds = Math.Round(estimate.TotalSeconds, 1),
            ObjectiveSeconds = objective.TotalSeconds, MeetsObjective = estimate <= objective, Warnings = refusal is null ? [] : [refusal],
        });
    }

    private static async Task<string?> RefusalAsync(BackupSite site, RedisBackupDetails details, RestoreRequest request, CancellationToken cancellationToken)
    {
        try
        {
            if (!IsServer(request.Target))
            {
                RedisDirectoryRestore.Check(request.Target, request.Overwrite);
                return null;
            }

            var address = RedisAccess.Connect(site, Another(request.Target));
            await using var connection = await RedisConnection.OpenAsync(address, cancellationToken);
            var facts = await RedisServerFacts.AskAsync(connection, cancellationToken);
            var options = new RedisServerRestoreOptions(address) { Selection = Selection(request), Replace = request.Overwrite, Exact = request.Exact };
            RedisServerRestore.Check(details, facts, options);
            return null;
        }
        catch (Exception e) when (e is Components.Files.RestoreRefusedException or RedisException)
        {
            return e.Message;
        }
    }

    private static RedisSelection Selection(RestoreRequest request)
    {
        var selection = new RedisSelection
        {
            Databases = request.Databases, Match = request.Match is { } match ? Encoding.UTF8.GetBytes(match) : default(ReadOnlyMemory<byte>),
        };
        if (request.RenamePrefix is not { } rename) return selection;
        var parts = rename.Split('=', 2);
        if (parts.Length < 2 || parts[0] == parts[1]) throw new InvalidRequestException("rename_prefix must be OLD=NEW; OLD may be empty, for all keys.");
        return selection with { OldPrefix = Encoding.UTF8.GetBytes(parts[0]), NewPrefix = Encoding.UTF8.GetBytes(parts[1]) };
    }

    private static SecretReference? Another(string target) => SecretReference.TryParse(target, out var reference) ? reference : null;
}

/// <summary>What a restore of Redis would do.</summary>
/// <param name="SnapshotId">The recovery point.</param>
/// <param name="Details">Of it.</param>
/// <param name="Keys">By database.</param>
/// <param name="Bytes">Of their values.</param>
/// <param name="Refusal">Why the target would not take it as it was asked for; null: it would.</param>
/// <param name="Summary">The same for those who know plans only.</param>
public sealed record RedisPlan(
    string SnapshotId, RedisBackupDetails Details, IReadOnlyDictionary<int, long> Keys, long Bytes, string? Refusal, RestorePlanSummary Summary);
