using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// Stands in for Azure App Configuration on loopback: the list of key-values in pages, with the refusals of the real service (401 for a
/// wrong signature, header, hash or clock; 400 without api-version; 404; 405).
/// </summary>
public sealed class AppConfigurationServer : IAsyncDisposable
{
    private const string Id = "planted-id";
    private static readonly byte[] Secret = "app-configuration-PLANTED-secret"u8.ToArray();

    private readonly SortedDictionary<(string Key, string Label), JsonObject> _settings = [];
    private readonly WebApplication _app;
    private readonly Lock _gate = new();

    private AppConfigurationServer(WebApplication app, int port)
    {
        (_app, Port) = (app, port);
        app.Run(AnswerAsync);
    }

    public int Port { get; }

    public int PageSize { get; set; } = 2;

    /// <summary>Name the next page in the header only, as older versions do, or in the body only.</summary>
    public bool LinkInBody { get; set; }

    public string Connection => $"Endpoint=http://127.0.0.1:{Port};Id={Id};Secret={Convert.ToBase64String(Secret)}";

    public ConcurrentQueue<string> Requests { get; } = [];

    public static async Task<AppConfigurationServer> StartAsync()
    {
        var port = FreePorts.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port));
        var server = new AppConfigurationServer(builder.Build(), port);
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    public void Put(string key, string? label, string value)
    {
        lock (_gate)
            _settings[(key, label ?? "")] = new JsonObject
            {
                ["etag"] = Guid.NewGuid().ToString("N"), ["key"] = key, ["label"] = label, ["content_type"] = null, ["value"] = value,
                ["tags"] = new JsonObject(), ["locked"] = false, ["last_modified"] = "2026-11-27T05:00:00+00:00",
            };
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var target = context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
        Requests.Enqueue(target);
        var request = context.Request;
        if (!IsSigned(request, target)) context.Response.StatusCode = 401;
        else if (request.Query["api-version"] != "1.0") context.Response.StatusCode = 400;
        else if (request.Path != "/kv") context.Response.StatusCode = 404;
        else if (request.Method != "GET") context.Response.StatusCode = 405;
        else
        {
            _ = int.TryParse(request.Query["after"], NumberStyles.None, CultureInfo.InvariantCulture, out var after);
            JsonObject body;
            lock (_gate)
            {
                body = new JsonObject { ["items"] = new JsonArray([.. _settings.Values.Skip(after).Take(PageSize).Select(s => s.DeepClone())]) };
                if (after + PageSize < _settings.Count)
                {
                    var next = $"/kv?api-version=1.0&after={after + PageSize}";
                    if (LinkInBody) body["@nextLink"] = next;
                    else context.Response.Headers.Link = $"<{next}>; rel=\"next\"";
                }
            }

            context.Response.ContentType = "application/vnd.microsoft.appconfig.kvset+json; charset=utf-8";
            await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body), context.RequestAborted).ConfigureAwait(false);
        }
    }

    /// <summary>As the REST reference has it: "HMAC authentication".</summary>
    private static bool IsSigned(HttpRequest request, string target)
    {
        var (date, hash) = (request.Headers["x-ms-date"].ToString(), request.Headers["x-ms-content-sha256"].ToString());
        if (!DateTimeOffset.TryParseExact(date, "R", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            || (TimeProvider.System.GetUtcNow() - at).Duration() > TimeSpan.FromMinutes(15)
            || hash != Convert.ToBase64String(SHA256.HashData([])))
            return false;
        var text = $"{request.Method}\n{target}\n{date};{request.Headers.Host};{hash}";
        var signature = Convert.ToBase64String(HMACSHA256.HashData(Secret, Encoding.ASCII.GetBytes(text)));
        return request.Headers.Authorization == $"HMAC-SHA256 Credential={Id}&SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}";
    }
}
