using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>Restores over HTTP. What would let a caller run commands or map paths one by one (restore_command, tablespace_map) is for the
/// command line only.</summary>
public sealed class RestoresApi(ApiEdge edge, BackupSite site, RestoreStarter starter)
{
    [Function("StartRestore")]
    public Task<IActionResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "restores")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.StartAsync<StartRestore>(
                request, body => StartAsync(body, caller, client, cancellationToken), null, cancellationToken));

    [Function("ListRestores")]
    public Task<IActionResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "restores")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ListAsync(request, InstanceKind.Restores, client, site.Time, cancellationToken));

    [Function("GetRestore")]
    public Task<IActionResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "restores/{id}")] HttpRequest request, string id,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ShowAsync(request, InstanceKind.Restores, id, client, cancellationToken));

    [Function("SteerRestore")]
    public Task<IActionResult> SteerAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "restores/{id}/{verb}")] HttpRequest request, string id, string verb,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.SteerAsync(request, InstanceKind.Restores, id, verb, caller, client, cancellationToken));

    private async Task<StartResult> StartAsync(StartRestore body, Caller caller, DurableTaskClient client, CancellationToken cancellationToken)
    {
        RestoreTargets.RequireApprover(
            caller, !body.PlanOnly && (body.Overwrite || body.Delta || body.Exact || RestoreTargets.IsLive(body.Component, body.Target)),
            "overwrite, delta, exact, or into what is running");
        if (body.ToTime > site.Time.GetUtcNow())
            throw ProblemException.BadRequest("The time to_time is in the future; nothing can be restored to it.");
        ProtectedComponents.Check(site.Configuration, body.Component);
        RestoreTargets.Check(site.Configuration, body.Component, body.Target);
        var restore = Read(body) with { RequestedBy = caller.Name };
        RestoreRequests.Check(restore);
        if (body.Point != "latest") await InstanceApi.CheckPointAsync(site, body.Point, body.Component, cancellationToken);
        return await starter.StartAsync(client, restore, cancellationToken);
    }

    private static RestoreRequest Read(StartRestore body) => new()
    {
        Component = body.Component, Target = body.Target, Point = body.Point, BeforeAnomaly = body.BeforeAnomaly,
        PlanOnly = body.PlanOnly, ToTime = body.ToTime,
        ToLsn = body.ToLsn, ToName = body.ToName, ToXid = body.ToXid, ToBackup = body.ToBackup, Inclusive = body.Inclusive,
        Exclusive = body.Exclusive, Timeline = body.Timeline, TargetAction = body.TargetAction, Delta = body.Delta,
        DeleteExtra = body.DeleteExtra, Overwrite = body.Overwrite, Staging = body.Staging,
        Exact = body.Exact, RestartEgress = body.RestartEgress,
        DatabaseNames = RequestBody.Texts(body.DatabaseNames, "database_names"), Schemas = RequestBody.Texts(body.Schemas, "schemas"),
        Tables = RequestBody.Texts(body.Tables, "tables"), Clean = body.Clean, Databases = body.Databases, Match = body.Match, RenamePrefix = body.RenamePrefix, Include = RequestBody.Texts(body.Include, "include"),
    };
}
