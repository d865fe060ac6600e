using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// An HTTP proxy on 127.0.0.1 in front of a server: passes requests on as they are (so that signatures hold), does to them what the test
/// asks for, delays and counts them.
/// </summary>
public sealed class FaultProxy : IAsyncDisposable
{
    private static readonly HashSet<string> HopByHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Transfer-Encoding", "Expect", "Upgrade", "Proxy-Connection", "Content-Length",
    };

    private readonly WebApplication _application;
    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false, UseCookies = false, UseProxy = false, AutomaticDecompression = DecompressionMethods.None,
    });

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly ConcurrentQueue<ProxiedRequest> _requests = new();
    private readonly int _serverPort;
    private int _number, _inFlight;

    private FaultProxy(WebApplication application, int serverPort)
    {
        _application = application;
        _serverPort = serverPort;
    }

    public int Port { get; private set; }

    /// <summary>Chooses what happens to a request; called once for each.</summary>
    public Func<ProxiedRequest, HttpFault> Choose { get; set; } = static _ => HttpFault.None;

    /// <summary>Runs before a request is passed on: holds it up, or watches.</summary>
    public Func<ProxiedRequest, CancellationToken, Task>? Before { get; set; }

    /// <summary>
    /// Answers with a status of its own instead of passing the request on, unless it gives null; requests with a condition are then passed
    /// on one at a time.
    /// </summary>
    public Func<ProxiedRequest, Task<int?>>? Refuse { get; set; }

    /// <summary>Answers for what the server cannot do; null: nothing.</summary>
    public IStandIn? StandIn { get; set; }

    /// <summary>Added to every request.</summary>
    public TimeSpan Latency { get; set; }

    /// <summary>All requests so far.</summary>
    public IReadOnlyList<ProxiedRequest> Requests => [.. _requests];

    /// <summary>Requests on their way at this moment.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    public int Faults { get; private set; }

    public static async Task<FaultProxy> StartAsync(int serverPort, CancellationToken cancellationToken = default)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Limits.MinResponseDataRate = null;
            options.AllowSynchronousIO = false;
            options.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
        });
        var application = builder.Build();
        var proxy = new FaultProxy(application, serverPort);
        application.Run(proxy.HandleAsync);
        await application.StartAsync(cancellationToken).ConfigureAwait(false);
        proxy.Port = new Uri(application.Urls.Single()).Port;
        return proxy;
    }

    /// <summary>Forgets the requests that were counted.</summary>
    public void Forget() => _requests.Clear();

    public async ValueTask DisposeAsync()
    {
        using (var now = new CancellationTokenSource())
        {
            await now.CancelAsync().ConfigureAwait(false);
            await _application.StopAsync(now.Token).ConfigureAwait(false);
        }

        await _application.DisposeAsync().ConfigureAwait(false);
        _client.Dispose();
        _oneAtATime.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        var headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        var request = new ProxiedRequest(Interlocked.Increment(ref _number), context.Request.Method, target, headers);
        _requests.Enqueue(request);
        Interlocked.Increment(ref _inFlight);
        try
        {
            var fault = Choose(request);
            if (fault != HttpFault.None) Faults++;
            if (Before is { } before) await before(request, context.RequestAborted);
            if (Latency > TimeSpan.Zero) await Task.Delay(Latency, context.RequestAborted);
            if (Refuse is null || !headers.ContainsKey("If-None-Match"))
            {
                await HandleAsync(context, request, fault);
                return;
            }

            await _oneAtATime.WaitAsync(context.RequestAborted);
            try
            {
                if (await Refuse(request) is { } status) context.Response.StatusCode = status;
                else await HandleAsync(context, request, fault);
            }
            finally
            {
                _oneAtATime.Release();
            }
        }
        catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException)
        {
            context.Abort(); // the server, or the client, went away
        }
        finally
        {
            Interlocked.Decrement(ref _inFlight);
        }
    }

    private async Task HandleAsync(HttpContext context, ProxiedRequest request, HttpFault fault)
    {
        if (fault == HttpFault.ResetBefore)
        {
            context.Abort();
            return;
        }

        using var body = new MemoryStream();
        await context.Request.Body.CopyToAsync(body, context.RequestAborted);
        if (fault is HttpFault.Busy or HttpFault.TooMany)
        {
            context.Response.StatusCode = fault == HttpFault.Busy ? 503 : 429;
            context.Response.Headers.RetryAfter = "0";
            return;
        }

        if (fault == HttpFault.CutRequest)
        {
            await CutAsync(request, body.ToArray());
            context.Abort();
            return;
        }

        if (StandIn is { } standIn && await standIn.AnswerAsync(request) is { } instead)
        {
            context.Response.StatusCode = instead.Status;
            foreach (var (name, value) in instead.Headers) context.Response.Headers[name] = value;
            if (context.Request.Method != "HEAD") await context.Response.WriteAsync(instead.Body, context.RequestAborted);
            return;
        }

        if (fault == HttpFault.Twice) (await SendAsync(request, body.ToArray())).Dispose();
        using var answer = await SendAsync(request, body.ToArray());
        if (StandIn is { } amends)
            foreach (var (name, value) in amends.Amend(request, (int)answer.StatusCode)) context.Response.Headers[name] = value;
        switch (fault)
        {
            case HttpFault.ResetAfter:
                await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
                context.Abort();
                return;
            case HttpFault.ErrorAfter:
                await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
                context.Response.StatusCode = 500;
                return;
            default:
                await AnswerAsync(context, answer, fault);
                return;
        }
    }

    private async Task<HttpResponseMessage> SendAsync(ProxiedRequest request, byte[] body)
    {
        // A client that goes away does not take back what has reached the server.
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), Address(request))
        {
            Version = HttpVersion.Version11,
            Content = body.Length > 0 || request.Headers.ContainsKey("Content-Length") ? new ByteArrayContent(body) : null,
        };
        foreach (var (name, value) in request.Headers.Where(h => !HopByHop.Contains(h.Key)))
            if (!message.Headers.TryAddWithoutValidation(name, value)) message.Content?.Headers.TryAddWithoutValidation(name, value);
        return await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
    }

    /// <summary>Announces the whole body, sends half of it and hangs up.</summary>
    private async Task CutAsync(ProxiedRequest request, byte[] body)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, _serverPort);
        await using var stream = client.GetStream();
        var head = string.Create(CultureInfo.InvariantCulture, $"{request.Method} {request.Target} HTTP/1.1\r\n")
            + string.Concat(request.Headers.Where(h => !HopByHop.Contains(h.Key)).Select(h => $"{h.Key}: {h.Value}\r\n"))
            + string.Create(CultureInfo.InvariantCulture, $"Content-Length: {body.Length}\r\n\r\n");
        await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(head));
        await stream.WriteAsync(body.AsMemory(0, body.Length / 2));
        await stream.FlushAsync();
    }

    private static async Task AnswerAsync(HttpContext context, HttpResponseMessage answer, HttpFault fault)
    {
        context.Response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
            if (!HopByHop.Contains(name)) context.Response.Headers[name] = values.ToArray();
        if (context.Request.Method == "HEAD")
        {
            context.Response.ContentLength = answer.Content.Headers.ContentLength;
            return;
        }

        if (fault is not (HttpFault.CutAnswer or HttpFault.SlowAnswer))
        {
            context.Response.ContentLength = answer.Content.Headers.ContentLength;
            await answer.Content.CopyToAsync(context.Response.Body, context.RequestAborted);
            return;
        }

        var bytes = await answer.Content.ReadAsByteArrayAsync(context.RequestAborted);
        if (bytes.Length > 0) context.Response.ContentLength = bytes.Length;
        if (fault == HttpFault.CutAnswer)
        {
            await context.Response.Body.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            context.Abort();
            return;
        }

        for (var at = 0; at < bytes.Length; at += Math.Max(1, bytes.Length / 7))
        {
            var drop = bytes.AsMemory(at, Math.Min(Math.Max(1, bytes.Length / 7), bytes.Length - at));
            await context.Response.Body.WriteAsync(drop, context.RequestAborted);
            await context.Response.Body.FlushAsync(context.RequestAborted);
            await Task.Yield();
        }
    }

    private Uri Address(ProxiedRequest request) => new(
        string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{_serverPort}{request.Target}"),
        new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
}
