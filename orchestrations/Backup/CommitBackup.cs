using System.Globalization;
using System.Text.Json;
using FunctionsBackup.Components.Files;
using FunctionsBackup.Components.LiveKit.Snapshots;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Logical;
using FunctionsBackup.Components.Redis.Snapshots;
using FunctionsBackup.Orchestrations.Anomalies;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>Makes what a run stored visible: a snapshot for each component, then the recovery point. Doing it again finds what was done.</summary>
public sealed class CommitBackup(BackupSite site)
{
    [Function(nameof(CommitBackup))]
    public async Task<CommitResult> Run([ActivityTrigger] CommitRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var result = await CommitAsync(request, cancellationToken);
            await site.Repositories.EndRunAsync(request.RunId);
            return result;
        }
        catch (Exception e) when (!Failures.IsWorthRetrying(e) && e is not OperationCanceledException)
        {
            var failure = Failures.Of(e);
            return new CommitResult(null, [.. request.Components.Select(c => Failed(c.Component, c.Failure ?? failure))]);
        }
    }

    private async Task<CommitResult> CommitAsync(CommitRequest request, CancellationToken cancellationToken)
    {
        await using var lease = await site.Repositories.RentAsync(request.RunId, cancellationToken);
        var repository = lease.Repository;
        var commit = await RunCommit.OpenAsync(repository, request.RunId, cancellationToken);
        if (commit is null) return await FindDoneAsync(repository, request, cancellationToken);
        var (results, components) = (new List<ComponentResult>(), new List<PointComponent>());
        foreach (var component in request.Components)
        {
            var failure = component.Failure;
            try
            {
                if (failure is null)
                {
                    var merge = component.Component == "configuration"
                        ? await ConfigurationDetails.MergeAsync(repository, request.RunId, component.Units, cancellationToken)
                        : Merge(component.Component);
                    var snapshot = await commit.CommitAsync(component.Component, component.Units, merge, cancellationToken);
                    results.Add(Done(snapshot, component.Units.Count, await SuspicionCheck.RunAsync(site, repository, snapshot, cancellationToken)));
                    components.Add(new PointComponent { Component = component.Component, SnapshotId = snapshot.Id, Facts = Facts(snapshot) });
                    continue;
                }
            }
            catch (RepositoryException e)
            {
                failure = Failures.Of(e);
            }

            results.Add(Failed(component.Component, failure!));
            components.Add(new PointComponent { Component = component.Component, Error = failure!.Sentence });
        }

        var point = await commit.CompleteAsync(components, cancellationToken, site.Audit.KnownHeads(repository.Id));
        return new CommitResult(point?.Id, results);
    }

    /// <summary>An earlier attempt has done it all and was not heard of.</summary>
    private async Task<CommitResult> FindDoneAsync(BackupRepository repository, CommitRequest request, CancellationToken cancellationToken)
    {
        var point = await repository.Points.FindAsync(request.RunId, cancellationToken);
        var results = new List<ComponentResult>();
        foreach (var component in request.Components)
        {
            var its = point?.Components.FirstOrDefault(c => c.Component == component.Component);
            var snapshot = its?.SnapshotId is { } id ? await repository.Snapshots.FindAsync(id, cancellationToken) : null;
            results.Add(snapshot is not null && snapshot.Writer == point!.Writer // whose point it is, RunCommit has looked at
                ? Done(snapshot, component.Units.Count, await SuspicionCheck.RunAsync(site, repository, snapshot, cancellationToken))
                : Failed(component.Component, component.Failure ?? new Failure(FailureKind.Failed, its?.Error ?? "It is not in the recovery point.")));
        }

        return new CommitResult(point?.Id, results);
    }

    private static Func<IReadOnlyList<RunPart>, System.Text.Json.Nodes.JsonObject?> Merge(string component) =>
        component is "postgres" or "livekit" or "redis" ? parts => parts[0].Details : FilesPlan.MergeDetails;

    private static ComponentResult Done(Snapshot snapshot, int units, SuspicionResult suspicion) => new()
    {
        Component = snapshot.Component,
        Outcome = RunOutcome.Complete,
        SnapshotId = snapshot.Id,
        Warnings = snapshot.Warnings.Count,
        Anomalies = suspicion.Reasons,
        NotCompared = suspicion.Problem,
        Units = units,
        Files = snapshot.Statistics.Files,
        LogicalBytes = snapshot.Statistics.LogicalBytes,
        ReadBytes = snapshot.Statistics.ReadBytes,
        NewBytes = snapshot.Statistics.NewBytes,
        StoredBytes = snapshot.Statistics.StoredBytes,
    };

    private static ComponentResult Failed(string component, Failure failure) =>
        new() { Component = component, Outcome = RunOutcome.Failed, Failure = failure };

    private static Dictionary<string, string> Facts(Snapshot snapshot)
    {
        var facts = new Dictionary<string, string> { ["time"] = Iso(snapshot.StartedAt) };
        if (snapshot.Component == "livekit" && LiveKitBackupDetails.FromJson(snapshot.Details) is { } livekit)
        {
            facts["time"] = Iso(livekit.ReadFrom);
            facts["readUntil"] = Iso(livekit.ReadUntil);
        }

        if (snapshot.Component == "redis" && RedisBackupDetails.FromJson(snapshot.Details) is { } redis)
        {
            facts["time"] = Iso(redis.Time);
            if (redis.ReplicationId is { } id) (facts["replicationId"], facts["replicationOffset"]) = (id, redis.ReplicationOffset.ToString(CultureInfo.InvariantCulture));
        }

        if (LogicalBackupDetails.FromJson(snapshot.Details) is { } logical)
        {
            (facts["time"], facts["mode"], facts["until"]) = (Iso(logical.Time), LogicalBackupDetails.LogicalMode, Iso(logical.Until));
            return facts;
        }

        if (snapshot.Component != "postgres") return facts;
        try
        {
            var details = PostgresBackupDetails.FromJson(snapshot.Details);
            facts["time"] = Iso(details.StopTime);
            facts["systemIdentifier"] = details.SystemIdentifier;
            facts["timeline"] = details.Timeline.ToString(CultureInfo.InvariantCulture);
            facts["startLsn"] = details.StartLsn;
            facts["stopLsn"] = details.StopLsn;
        }
        catch (JsonException)
        {
            return facts; // a snapshot that was taken by a newer version
        }

        return facts;
    }

    private static string Iso(DateTimeOffset at) => at.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
}
