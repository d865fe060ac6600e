using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Site;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>Backups over HTTP.</summary>
public sealed class BackupsApi(ApiEdge edge, BackupSite site, BackupStarter starter)
{
    [Function("StartBackup")]
    public Task<IActionResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "backups")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.StartAsync(
                request,
                body => starter.StartAsync(
                    client,
                    new BackupRequest
                    {
                        Components = RequestBody.Texts(body.Components, "components"), Full = body.Full, Verify = body.Verify,
                        RequestedBy = caller.Name,
                    },
                    cancellationToken),
                new StartBackup(), cancellationToken));

    [Function("ListBackups")]
    public Task<IActionResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "backups")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ListAsync(request, InstanceKind.Backups, client, site.Time, cancellationToken));

    [Function("GetBackup")]
    public Task<IActionResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "backups/{id}")] HttpRequest request, string id,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ShowAsync(request, InstanceKind.Backups, id, client, cancellationToken));

    [Function("SteerBackup")]
    public Task<IActionResult> SteerAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "backups/{id}/{verb}")] HttpRequest request, string id, string verb,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.SteerAsync(request, InstanceKind.Backups, id, verb, caller, client, cancellationToken));
}
