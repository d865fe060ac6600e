using FunctionsBackup.Operations.Audit;
using FunctionsBackup.SelfHosting.Hosting.Access;
using FunctionsBackup.SelfHosting.Hosting.Invocation;
using FunctionsBackup.SelfHosting.Hosting.Settings;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Azure.Functions.Worker;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Hosting.Http;

/// <summary>Serves HTTP functions with Kestrel.</summary>
internal sealed partial class HttpServer : IAsyncDisposable
{
    private readonly WebApplication _application;
    private readonly IReadOnlyList<HttpRoute> _routes;
    private readonly AccessControl _access;
    private readonly DeniedRequests _denied;
    private readonly IServiceProvider _services;
    private readonly DurableTaskClient _client;
    private readonly TimeSpan? _timeout;
    private readonly RequestLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    /// <exception cref="HostingException">An address is not valid, or not to be served without keys.</exception>
    public HttpServer(
        IReadOnlyList<HttpRoute> routes, FunctionsHostOptions options, HostJson hostJson, ApiKeys keys, IServiceProvider services,
        DurableTaskClient client)
    {
        _routes = routes;
        _services = services;
        _client = client;
        _timeout = hostJson.FunctionTimeout;
        _limits = new RequestLimits(hostJson.MaxConcurrentRequests, hostJson.MaxOutstandingRequests);
        _time = options.Time;
        var loggers = services.GetRequiredService<ILoggerFactory>();
        _log = loggers.CreateLogger<HttpServer>();
        _denied = services.GetService<DeniedRequests>() ?? new DeniedRequests(NoAuditLog.Instance, options.Time);
        _access = new AccessControl(keys, new FailedAttempts(options.Time), _denied, loggers.CreateLogger<AccessControl>());
        var endpoints = ListenAddress.Read(options.Urls, keys.List().Count > 0);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ContentRootPath = options.ScriptRoot });
        builder.Services.AddSingleton(loggers);
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = options.MaximumRequestBytes;
            kestrel.Limits.MaxConcurrentConnections = 1000;
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            foreach (var (address, port) in endpoints) kestrel.Listen(address, port);
        });
        _application = builder.Build();
        _application.Use(GuardAsync);
        _application.UseRouting();
        foreach (var route in _routes)
        {
            var invoker = new FunctionInvoker(route.Function);
            var endpoint = route.Methods.Count == 0
                ? _application.Map(route.Pattern, context => HandleAsync(context, route, invoker))
                : _application.MapMethods(route.Pattern.RawText!, route.Methods, context => HandleAsync(context, route, invoker));
            endpoint.WithDisplayName(route.Pattern.RawText!);
        }
    }

    /// <summary>Where it listens; a port that was asked for as 0 is the one that was given.</summary>
    public IReadOnlyList<Uri> Addresses =>
        [.. _application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a))];

    /// <exception cref="HostingException">An address is in use.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _application.StartAsync(cancellationToken);
        }
        catch (IOException e)
        {
            throw new HostingException($"The server cannot listen: {e.Message} Stop what uses the address, or choose another with --urls.", e);
        }
    }

    /// <summary>Takes no more connections and lets what runs end, until the token is cancelled.</summary>
    public Task StopAsync(CancellationToken cancellationToken) => _application.StopAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _application.DisposeAsync();
        _limits.Dispose();
        await _denied.DisposeAsync();
    }

    /// <summary>What goes wrong around a function becomes a problem with one sentence; what is inside stays in the log.</summary>
    private async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            await next(context);
            if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status404NotFound, ContentType: null })
                await Problem.WriteAsync(context, 404, "Not Found", "There is nothing at this address; the description of the API lists what there is.");
            else if (context.Response is { HasStarted: false, StatusCode: StatusCodes.Status405MethodNotAllowed, ContentType: null })
                await Problem.WriteAsync(context, 405, "Method Not Allowed",
                    $"This address does not take {context.Request.Method}; it takes {context.Response.Headers.Allow}.");
        }
        catch (BadHttpRequestException e)
        {
            await Problem.WriteAsync(context, e.StatusCode, e.StatusCode == 413 ? "Content Too Large" : "Bad Request",
                e.StatusCode == 413 ? "The body is too large; send less." : "The request is not valid HTTP.");
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return; // nobody is there to be answered
        }
#pragma warning disable CA1031 // whatever a function throws, the others go on
        catch (Exception e)
#pragma warning restore CA1031
        {
            LogFailed(_log, e, context.TraceIdentifier, context.Request.Method, context.GetEndpoint()?.DisplayName);
            await Problem.WriteAsync(context, 500, "Internal Server Error",
                $"The request failed inside the server; its log says why, under {context.TraceIdentifier}.");
        }
    }

    private async Task HandleAsync(HttpContext context, HttpRoute route, FunctionInvoker invoker)
    {
        if (!await _limits.TryEnterAsync(context.RequestAborted))
        {
            context.Response.Headers.RetryAfter = "1";
            await Problem.WriteAsync(
                context, 429, "Too Many Requests", "The server has as many requests as host.json allows; ask again in a moment.");
            return;
        }

        try
        {
            await RunAsync(context, route, invoker);
        }
        finally
        {
            _limits.Leave();
        }
    }

    private async Task RunAsync(HttpContext context, HttpRoute route, FunctionInvoker invoker)
    {
        if (route.Level != AuthorizationLevel.Anonymous && !await _access.AdmitAsync(context)) return;
        var values = new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase);
        foreach (var parameter in route.Function.Parameters.Where(p => p.Source == Discovery.ParameterSource.Route))
        {
            var text = context.Request.RouteValues[parameter.Name]?.ToString();
            values[parameter.Name] = text is null ? null : HttpRoute.Convert(parameter, text);
            if (text is null || values[parameter.Name] is not null) continue;
            await Problem.WriteAsync(context, 400, "Bad Request", $"The address has a '{parameter.Name}' that is no {parameter.Type.Name}.");
            return;
        }

        using var timeout = new CancellationTokenSource(_timeout ?? Timeout.InfiniteTimeSpan, _time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, timeout.Token);
        var outer = context.RequestServices;
        try
        {
            await invoker.RunAsync(
                _services, context.Request, _client, p => values[p.Name], services => context.RequestServices = services,
                result => AnswerAsync(context, result), linked.Token);
        }
        finally
        {
            context.RequestServices = outer;
        }
    }

    private static Task AnswerAsync(HttpContext context, object? result) => result switch
    {
        Microsoft.AspNetCore.Mvc.IActionResult action => action.ExecuteResultAsync(new Microsoft.AspNetCore.Mvc.ActionContext(
            context, Microsoft.AspNetCore.Routing.RoutingHttpContextExtensions.GetRouteData(context),
            new Microsoft.AspNetCore.Mvc.Abstractions.ActionDescriptor())),
        IResult answer => answer.ExecuteAsync(context),
        null => Task.CompletedTask,
        _ => throw new InvalidOperationException($"An HTTP function returned a {result.GetType()}; return an IActionResult or an IResult."),
    };

    [LoggerMessage(4301, LogLevel.Error, "The request {Id} failed: {Method} {Route}.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string id, string method, string? route);
}
