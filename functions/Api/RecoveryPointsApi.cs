using FunctionsBackup.Functions.Http;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Snapshots;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;

namespace FunctionsBackup.Functions.Api;

/// <summary>Recovery points over HTTP.</summary>
public sealed class RecoveryPointsApi(ApiEdge edge, BackupSite site)
{
    [Function("ListRecoveryPoints")]
    public Task<IActionResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "recovery-points")] HttpRequest request, FunctionContext context,
        CancellationToken cancellationToken) => edge.RunAsync(request, context, async _ =>
    {
        QueryValues.Allow(request, "component", "from", "to", "limit", "continuation");
        var now = site.Time.GetUtcNow();
        var component = QueryValues.Text(request, "component");
        if (component is not null && !Settings.Components.Contains(component))
            throw ProblemException.BadRequest($"There is no such component; known: {string.Join(", ", Settings.Components)}.");
        var (from, to) = (QueryValues.Moment(request, "from", now), QueryValues.Moment(request, "to", now));
        var limit = QueryValues.Count(request, "limit", 50, 500);
        var before = QueryValues.Text(request, "continuation");
        await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
        var all = new List<Snapshot>();
        await foreach (var snapshot in lease.Repository.ListSnapshotsAsync(component, cancellationToken))
            if (!(snapshot.CompletedAt < from) && !(snapshot.CompletedAt > to)) all.Add(snapshot);
        all.Reverse();
        var start = before is null ? 0 : all.FindIndex(s => s.Id == before) + 1;
        if (before is not null && start == 0) throw ProblemException.BadRequest("The continuation is not one that was given out; begin without.");
        var suspicions = await AnomaliesOf(lease.Repository).ListAsync(component, cancellationToken);
        var page = all.Skip(start).Take(limit).Select(s => View(s, suspicions, details: false)).ToList();
        return Answer.Of(new RecoveryPointList(page, start + limit < all.Count ? page[^1].Id : null));
    });

    [Function("GetRecoveryPoint")]
    public Task<IActionResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "recovery-points/{id}")] HttpRequest request, string id,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(request, context, async _ =>
    {
        QueryValues.Allow(request);
        await InstanceApi.CheckPointAsync(site, id, null, cancellationToken);
        await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
        var snapshot = await lease.Repository.GetSnapshotAsync(id, null, cancellationToken);
        return Answer.Of(View(snapshot, await AnomaliesOf(lease.Repository).ListAsync(snapshot.Component, cancellationToken), details: true));
    });

    /// <summary>A person decides on a suspicious recovery point: <c>accept</c> or <c>reject</c>.</summary>
    [Function("DecideRecoveryPoint")]
    public Task<IActionResult> DecideAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "recovery-points/{id}/{verb}")] HttpRequest request, string id, string verb,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(request, context, async caller =>
    {
        QueryValues.Allow(request);
        if (verb is not ("accept" or "reject"))
            throw ProblemException.NotFound("There is no such action; a suspicious recovery point can be accepted and rejected.");
        var reason = (await RequestBody.ReadAsync<DecidePoint>(request, cancellationToken, null)).Reason.Trim();
        if (reason.Length is 0 or > 500 || reason.Any(char.IsControl))
            throw ProblemException.BadRequest("The reason must be one line of at most 500 characters; it is kept with the decision.");
        await InstanceApi.CheckPointAsync(site, id, null, cancellationToken);
        await using var lease = await site.Repositories.RentRecordsAsync(cancellationToken);
        var snapshot = await lease.Repository.GetSnapshotAsync(id, null, cancellationToken);
        var decision = new AnomalyDecision(snapshot.Id, verb == "accept", caller.Name, reason, site.Time.GetUtcNow());
        var anomalies = AnomaliesOf(lease.Repository);
        await anomalies.DecideAsync(decision, cancellationToken);
        var facts = new Dictionary<string, string>
        {
            ["accepted"] = decision.Accepted ? "true" : "false", ["reason"] = reason, ["recovery_point"] = snapshot.Id,
        };
        var view = View(snapshot, await anomalies.ListAsync(snapshot.Component, cancellationToken), details: false);
        return Answer.Of(view, facts: facts);
    });

    private static AnomalyStore AnomaliesOf(Repository.BackupRepository repository) => new(repository.Store, repository.Sealed);

    private static RecoveryPointView View(Snapshot snapshot, Suspicions suspicions, bool details) => new()
    {
        Id = snapshot.Id,
        Component = snapshot.Component,
        Kind = snapshot.Kind,
        Parent = snapshot.Parent,
        StartedAt = snapshot.StartedAt,
        CompletedAt = snapshot.CompletedAt,
        Files = snapshot.Statistics.Files,
        LogicalBytes = snapshot.Statistics.LogicalBytes,
        NewBytes = snapshot.Statistics.NewBytes,
        StoredBytes = snapshot.Statistics.StoredBytes,
        Standing = suspicions.StandingOf(snapshot).ToString().ToLowerInvariant(),
        Suspicion = SuspicionView.Of(suspicions.Of(snapshot.Id)),
        Warnings = snapshot.Warnings,
        Details = details ? snapshot.Details?.DeepClone() : null,
    };
}
