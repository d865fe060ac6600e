using FunctionsBackup.Functions.Access;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.SiteRestore;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>Restores of everything as of one moment, over HTTP.</summary>
public sealed class SiteRestoresApi(ApiEdge edge, BackupSite site, SiteRestoreStarter starter)
{
    [Function("StartSiteRestore")]
    public Task<IActionResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "site-restores")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.StartAsync<StartSiteRestore>(
                request, body => StartAsync(body, caller, client, cancellationToken), null, cancellationToken));

    [Function("ListSiteRestores")]
    public Task<IActionResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "site-restores")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ListAsync(request, InstanceKind.SiteRestores, client, site.Time, cancellationToken));

    [Function("GetSiteRestore")]
    public Task<IActionResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "site-restores/{id}")] HttpRequest request, string id,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ShowAsync(request, InstanceKind.SiteRestores, id, client, cancellationToken));

    [Function("SteerSiteRestore")]
    public Task<IActionResult> SteerAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "site-restores/{id}/{verb}")] HttpRequest request, string id, string verb,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.SteerAsync(request, InstanceKind.SiteRestores, id, verb, caller, client, cancellationToken));

    private async Task<StartResult> StartAsync(StartSiteRestore body, Caller caller, DurableTaskClient client, CancellationToken cancellationToken)
    {
        RestoreTargets.RequireApprover(caller, body.Overwrite || body.Delta, "overwrite, delta");
        if (body.ToTime > site.Time.GetUtcNow())
            throw ProblemException.BadRequest("The time to_time is in the future; nothing can be restored to it.");
        RestoreTargets.CheckFolder(site.Configuration, body.Target);
        var request = new SiteRestoreRequest
        {
            Target = body.Target, ToTime = body.ToTime, Components = RequestBody.Texts(body.Components, "components"), BeforeAnomaly = body.BeforeAnomaly,
            Overwrite = body.Overwrite, Delta = body.Delta, RequestedBy = caller.Name,
        };
        return await starter.StartAsync(client, request, cancellationToken);
    }
}
