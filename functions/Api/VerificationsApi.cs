using FunctionsBackup.Functions.Http;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Verification;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Functions.Api;

/// <summary>Verifications over HTTP.</summary>
public sealed class VerificationsApi(ApiEdge edge, BackupSite site, VerificationStarter starter)
{
    [Function("StartVerification")]
    public Task<IActionResult> StartAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "verifications")] HttpRequest request,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) =>
        edge.RunAsync(request, context, caller => InstanceApi.StartAsync(
            request,
            async body =>
            {
                VerificationLevels.Parse(body.Level);
                var points = RequestBody.Texts(body.RecoveryPoints, "recovery_points");
                _ = site.Configuration; // one that cannot be used starts nothing
                foreach (var point in points) await InstanceApi.CheckPointAsync(site, point, null, cancellationToken);
                var verification = new VerificationRequest { Level = body.Level, SnapshotIds = points, RequestedBy = caller.Name };
                return await starter.StartAsync(client, verification, cancellationToken);
            },
            new StartVerification(), cancellationToken));

    [Function("ListVerifications")]
    public Task<IActionResult> ListAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "verifications")] HttpRequest request,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ListAsync(request, InstanceKind.Verifications, client, site.Time, cancellationToken));

    [Function("GetVerification")]
    public Task<IActionResult> GetAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "verifications/{id}")] HttpRequest request, string id,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, _ => InstanceApi.ShowAsync(request, InstanceKind.Verifications, id, client, cancellationToken));

    [Function("SteerVerification")]
    public Task<IActionResult> SteerAsync(
        [HttpTrigger(AuthorizationLevel.Function, "post", Route = "verifications/{id}/{verb}")] HttpRequest request, string id, string verb,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(
            request, context, caller => InstanceApi.SteerAsync(request, InstanceKind.Verifications, id, verb, caller, client, cancellationToken));
}
