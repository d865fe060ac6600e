using FunctionsBackup.Functions.Description;
using FunctionsBackup.Functions.Http;
using FunctionsBackup.Functions.Status;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Operations.Metrics;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Orchestrations.Standing;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Functions.Api;

/// <summary>How the site stands, for people, probes and Prometheus; and what the API can do.</summary>
public sealed partial class StatusApi(
    ApiEdge edge, BackupSite site, StatusBoard board, ReplicaBoard replicas, ILogger<StatusApi> log)
{
    [Function("GetStatus")]
    public Task<IActionResult> StatusAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "status")] HttpRequest request, [DurableClient] DurableTaskClient client,
        FunctionContext context, CancellationToken cancellationToken) => edge.RunAsync(request, context, async _ =>
    {
        QueryValues.Allow(request);
        var status = await board.GetAsync(cancellationToken);
        var copies = await replicas.GetAsync(cancellationToken);
        return Answer.Of(status with
        {
            Well = status.Well && copies.All(r => r.Well), Replicas = copies, Work = await RunningWork.ListAsync(client, cancellationToken),
        });
    });

    [Function("GetMetrics")]
    public Task<IActionResult> MetricsAsync(
        [HttpTrigger(AuthorizationLevel.Function, "get", Route = "metrics")] HttpRequest request, FunctionContext context,
        CancellationToken cancellationToken) => edge.RunAsync(request, context, async _ =>
    {
        await board.GetAsync(cancellationToken); // what the repository says, as gauges
        var text = PrometheusText.Write(site.Metrics.Registry);
        return new Answer(StatusCodes.Status200OK, PrometheusText.ContentType, System.Text.Encoding.UTF8.GetBytes(text));
    });

    /// <summary>The process answers.</summary>
    [Function("GetLiveness")]
    public Task<IActionResult> LiveAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/live")] HttpRequest request, FunctionContext context) =>
        edge.RunAsync(request, context, _ => Task.FromResult(Answer.Of(new HealthView("live"))));

    /// <summary>It can do its work: the configuration loads and the engine answers. Why not is in the log only, because anybody may ask.</summary>
    [Function("GetReadiness")]
    public Task<IActionResult> ReadyAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "health/ready")] HttpRequest request,
        [DurableClient] DurableTaskClient client, FunctionContext context, CancellationToken cancellationToken) =>
        edge.RunAsync(request, context, async caller =>
    {
        try
        {
            _ = site.Configuration;
            await client.GetInstanceAsync("readiness", cancellationToken);
            return Answer.Of(new HealthView("ready"));
        }
        catch (ConfigurationException e)
        {
            LogNotReady(log, e);
            throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "The configuration cannot be used; the log says why.");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            LogNotReady(log, e);
            throw new ProblemException(StatusCodes.Status503ServiceUnavailable, "The durable engine does not answer; the log says why.");
        }
    });

    [Function("GetDescription")]
    public Task<IActionResult> DescribeAsync(
        [HttpTrigger(AuthorizationLevel.Anonymous, "get", Route = "openapi.json")] HttpRequest request, FunctionContext context) =>
        edge.RunAsync(request, context, _ => Task.FromResult(Answer.Of(OpenApiDocument.Create())));

    [LoggerMessage(5201, LogLevel.Error, "Not ready.")]
    private static partial void LogNotReady(ILogger logger, Exception exception);
}
