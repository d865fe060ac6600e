using FunctionsBackup.Functions.Http;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
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
        var page = all.Skip(start).Take(limit).Select(s => View(s, details: false)).ToList();
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
        return Answer.Of(View(await lease.Repository.GetSnapshotAsync(id, null, cancellationToken), details: true));
    });

    private static RecoveryPointView View(Snapshot snapshot, bool details) => new()
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
        Warnings = snapshot.Warnings,
        Details = details ? snapshot.Details?.DeepClone() : null,
    };
}
