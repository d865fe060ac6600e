using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.LiveKit.Access;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// Stands in for a LiveKit server on loopback: Twirp with JSON, tokens and grants checked as the real one does, ids of its own, answers with proto names
/// and 64-bit numbers as text.
/// </summary>
public sealed class LiveKitServer : IAsyncDisposable
{
    public const string ApiKey = "APIplanted";
    public const string ApiSecret = "livekit-api-secret-PLANTED-0123456789";

    private readonly WebApplication _app;
    private readonly LiveKitState _state;
    private int _calls;

    private LiveKitServer(WebApplication app, int port)
    {
        _app = app;
        Url = $"http://127.0.0.1:{port}";
        _state = new LiveKitState(this);
        app.Run(AnswerAsync);
    }

    public string Url { get; }

    public LiveKitConnection Connection => new(Url, ApiKey, ApiSecret);

    public LiveKitState State => _state;

    /// <summary>Objects of SIP, ingress and egress in one page at most.</summary>
    public int PageLimit { get; set; } = 1000;

    /// <summary>Services that are not there: <c>SIP</c>; with <see cref="HasRedis"/> false, the answer of a server without Redis.</summary>
    public HashSet<string> MissingServices { get; } = [];

    public bool HasRedis { get; set; } = true;

    /// <summary>Rooms that are listed and have ended when they are looked into.</summary>
    public HashSet<string> Vanishing { get; } = [];

    /// <summary>So many calls are answered 503 first.</summary>
    public int Unavailable { get; set; }

    /// <summary>After so many calls the server breaks off connections; negative: never.</summary>
    public int DiesAfter { get; set; } = -1;

    /// <summary>Told before a call is answered.</summary>
    public Func<string, Task>? OnCall { get; set; }

    /// <summary>Methods in the order of their calls.</summary>
    public ConcurrentQueue<string> Calls { get; } = [];

    /// <summary>The most calls that were in flight at once.</summary>
    public int MostAtOnce { get; private set; }

    private int _atOnce;

    public static async Task<LiveKitServer> StartAsync()
    {
        var port = FreePorts.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port));
        var server = new LiveKitServer(builder.Build(), port);
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        MostAtOnce = Math.Max(MostAtOnce, Interlocked.Increment(ref _atOnce));
        try
        {
            var method = context.Request.Path.Value!.StartsWith("/twirp/livekit.", StringComparison.Ordinal)
                ? context.Request.Path.Value["/twirp/livekit.".Length..] : "";
            Calls.Enqueue(method);
            if (OnCall is { } told) await told(method).ConfigureAwait(false);
            if (DiesAfter >= 0 && Interlocked.Increment(ref _calls) > DiesAfter)
            {
                context.Abort();
                return;
            }

            if (Unavailable > 0)
            {
                Unavailable--;
                context.Response.StatusCode = 503;
                await context.Response.WriteAsync("upstream connect error").ConfigureAwait(false);
                return;
            }

            await AnswerAsync(context, method).ConfigureAwait(false);
        }
        finally
        {
            Interlocked.Decrement(ref _atOnce);
        }
    }

    private async Task AnswerAsync(HttpContext context, string method)
    {
        context.Response.ContentType = "application/json";
        try
        {
            if (context.Request.Method != "POST") throw new Refusal(404, "bad_route", "unsupported method (only POST is allowed)");
            if (context.Request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true)
                throw new Refusal(404, "bad_route", "unexpected Content-Type");
            var claims = LiveKitToken.Check(context.Request.Headers.Authorization.ToString(), ApiKey, ApiSecret);
            var service = method.Split('/')[0];
            if (MissingServices.Contains(service))
                throw HasRedis ? new Refusal(404, "bad_route", $"no handler for path \"/twirp/livekit.{method}\"")
                    : new Refusal(500, "internal", $"{service.ToLowerInvariant()} not connected (redis required)");
            using var body = await JsonDocument.ParseAsync(context.Request.Body).ConfigureAwait(false);
            var answer = _state.Operate(method, JsonObject.Create(body.RootElement.Clone())!, claims);
            await context.Response.WriteAsync(answer.ToJsonString()).ConfigureAwait(false);
        }
        catch (Refusal refusal)
        {
            context.Response.StatusCode = refusal.Status;
            await context.Response.WriteAsync(new JsonObject { ["code"] = refusal.Code, ["msg"] = refusal.Message }.ToJsonString()).ConfigureAwait(false);
        }
    }

    internal sealed class Refusal(int status, string code, string message) : Exception(message)
    {
        public int Status { get; } = status;

        public string Code { get; } = code;
    }
}
