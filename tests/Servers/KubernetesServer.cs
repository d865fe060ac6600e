using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// Stands in for a Kubernetes API server on loopback, over TLS: lists of ConfigMaps and Secrets in pages of one state, with the refusals of
/// the real one (401 without the token, 403 in namespaces without a role, 404 of what it does not serve, 405, 400 of bad parameters, 410 of expired pages).
/// </summary>
public sealed class KubernetesServer : IAsyncDisposable
{
    private readonly Dictionary<string, SortedDictionary<string, JsonObject>> _objects = [];
    private readonly ConcurrentDictionary<string, (List<JsonObject> Items, string Version)> _pages = [];
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;
    private readonly Lock _gate = new();
    private int _version = 1000, _troubles, _expiries;

    private KubernetesServer(WebApplication app, X509Certificate2 certificate, int port)
    {
        (_app, _certificate, Port) = (app, certificate, port);
        app.Run(AnswerAsync);
    }

    public int Port { get; }

    public string Url => $"https://localhost:{Port}";

    /// <summary>What a client that trusts nobody else needs.</summary>
    public X509Certificate2 Certificate => _certificate;

    /// <summary>The only token that is accepted.</summary>
    public string Token { get; set; } = "kubernetes-token-PLANTED";

    /// <summary>Where the account may list.</summary>
    public HashSet<string> Namespaces { get; } = ["voice"];

    /// <summary>Path and query of every request.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public static async Task<KubernetesServer> StartAsync()
    {
        using var rsa = RSA.Create(2048);
        var request = new CertificateRequest("CN=localhost", rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(30));
        var certificate = X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pkcs12), null);
        var port = FreePorts.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(certificate)));
        var server = new KubernetesServer(builder.Build(), certificate, port);
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    /// <summary>Creates or replaces an object; its resource version and managed fields change as the real server's do.</summary>
    public void Put(string space, string resource, string name, IReadOnlyDictionary<string, string> data, string labels = "app=livekit")
    {
        lock (_gate)
        {
            var version = (++_version).ToString(CultureInfo.InvariantCulture);
            var values = new JsonObject();
            foreach (var (key, value) in data)
                values[key] = resource == "secrets" ? Convert.ToBase64String(Encoding.UTF8.GetBytes(value)) : value;
            var label = labels.Split('=');
            Objects(space, resource)[name] = new JsonObject
            {
                ["metadata"] = new JsonObject
                {
                    ["name"] = name, ["namespace"] = space, ["uid"] = Guid.NewGuid().ToString(), ["resourceVersion"] = version,
                    ["creationTimestamp"] = "2026-11-27T05:00:00Z", ["labels"] = new JsonObject { [label[0]] = label[1] },
                    ["managedFields"] = new JsonArray(new JsonObject { ["manager"] = "kubectl", ["time"] = version }),
                },
                ["data"] = values,
            };
            if (resource == "secrets") Objects(space, resource)[name]["type"] = "Opaque";
        }
    }

    public void Delete(string space, string resource, string name)
    {
        lock (_gate) Objects(space, resource).Remove(name);
    }

    /// <summary>What an object holds, decoded.</summary>
    public IReadOnlyDictionary<string, string> Data(string space, string resource, string name)
    {
        lock (_gate)
            return Objects(space, resource)[name]["data"]!.AsObject().ToDictionary(
                d => d.Key, d => resource == "secrets" ? Encoding.UTF8.GetString(Convert.FromBase64String((string)d.Value!)) : (string)d.Value!);
    }

    /// <summary>Answers so many requests with 503.</summary>
    public void BeInTrouble(int requests) => Volatile.Write(ref _troubles, requests);

    /// <summary>Lets so many continuations expire.</summary>
    public void Expire(int continuations) => Volatile.Write(ref _expiries, continuations);

    public string WriteCertificate(string path)
    {
        File.WriteAllText(path, _certificate.ExportCertificatePem());
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().ConfigureAwait(false);
        _certificate.Dispose();
    }

    private SortedDictionary<string, JsonObject> Objects(string space, string resource)
    {
        var key = space + "/" + resource;
        if (!_objects.TryGetValue(key, out var objects)) _objects.Add(key, objects = new SortedDictionary<string, JsonObject>(StringComparer.Ordinal));
        return objects;
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Requests.Enqueue(context.Request.Path + context.Request.QueryString);
        if (context.Request.Headers.Authorization.ToString() != "Bearer " + Token)
            await StatusAsync(context, 401, "Unauthorized").ConfigureAwait(false);
        else if (Interlocked.Decrement(ref _troubles) >= 0)
            await StatusAsync(context, 503, "ServiceUnavailable").ConfigureAwait(false);
        else if (context.Request.Method == "PATCH" && context.Request.Path.Value!.Split('/') is ["", "api", "v1", "namespaces", var target, "configmaps" or "secrets", { Length: > 0 } name])
            await ApplyAsync(context, target, context.Request.Path.Value.Split('/')[5], name).ConfigureAwait(false);
        else if (context.Request.Path.Value!.Split('/') is not ["", "api", "v1", "namespaces", var space, "configmaps" or "secrets"])
            await StatusAsync(context, 404, "NotFound").ConfigureAwait(false);
        else if (context.Request.Method != "GET")
            await StatusAsync(context, 405, "MethodNotAllowed").ConfigureAwait(false);
        else if (!Namespaces.Contains(space))
            await StatusAsync(context, 403, "Forbidden").ConfigureAwait(false);
        else
            await ListAsync(context, space, context.Request.Path.Value.Split('/')[5]).ConfigureAwait(false);
    }

    /// <summary>Server-side apply as far as data goes: keys are set, conflicts are with whoever made the object, and other keys stay.</summary>
    private async Task ApplyAsync(HttpContext context, string space, string resource, string name)
    {
        var query = context.Request.Query;
        if (!Namespaces.Contains(space))
        {
            await StatusAsync(context, 403, "Forbidden").ConfigureAwait(false);
            return;
        }

        if (context.Request.ContentType != "application/apply-patch+yaml" || query["fieldManager"].ToString().Length == 0 || query["force"].ToString() is not ("true" or "false")
            || query["dryRun"].ToString() is not ("" or "All"))
        {
            await StatusAsync(context, 415, "UnsupportedMediaType").ConfigureAwait(false);
            return;
        }

        var body = (await JsonNode.ParseAsync(context.Request.Body, cancellationToken: context.RequestAborted).ConfigureAwait(false))!.AsObject();
        var metadata = body["metadata"]!.AsObject();
        if ((string?)body["kind"] != (resource == "secrets" ? "Secret" : "ConfigMap") || (string?)body["apiVersion"] != "v1" || (string?)metadata["name"] != name
            || (string?)metadata["namespace"] != space || metadata["managedFields"] is not null || metadata["uid"] is not null)
        {
            await StatusAsync(context, 400, "BadRequest").ConfigureAwait(false);
            return;
        }

        var isNew = true;
        var isConflict = false;
        lock (_gate)
        {
            var objects = Objects(space, resource);
            isNew = !objects.TryGetValue(name, out var present);
            var data = body["data"] as JsonObject ?? [];
            isConflict = present is not null && query["force"] != "true"
                && data.Any(d => present["data"]![d.Key] is { } value && (string?)value != (string?)d.Value);
            if (!isConflict && query["dryRun"].ToString().Length == 0)
            {
                if (present is null)
                {
                    objects[name] = present = (JsonObject)body.DeepClone();
                    present.Remove("kind");
                    present.Remove("apiVersion");
                }

                present["metadata"]!["resourceVersion"] = (++_version).ToString(CultureInfo.InvariantCulture);
                foreach (var (key, value) in data) present["data"]![key] = value?.DeepClone();
            }
        }

        await (isConflict ? StatusAsync(context, 409, "Conflict") : WriteAsync(context, isNew ? 201 : 200, body)).ConfigureAwait(false);
    }

    private async Task ListAsync(HttpContext context, string space, string resource)
    {
        var query = context.Request.Query;
        if (query.Keys.Any(k => k is not ("limit" or "continue" or "labelSelector"))
            || !int.TryParse(query["limit"], NumberStyles.None, CultureInfo.InvariantCulture, out var limit) || limit == 0)
        {
            await StatusAsync(context, 400, "BadRequest").ConfigureAwait(false);
            return;
        }

        List<JsonObject> items;
        string version;
        if (query["continue"].ToString() is { Length: > 0 } token)
        {
            // A continuation is good once, for the state that its list began with.
            if (Interlocked.Decrement(ref _expiries) >= 0 || !_pages.TryRemove(token, out var page))
            {
                await StatusAsync(context, 410, "Expired").ConfigureAwait(false);
                return;
            }

            (items, version) = page;
        }
        else
        {
            var label = query["labelSelector"].ToString().Split('=', 2);
            lock (_gate)
            {
                items = [.. Objects(space, resource).Values.Where(o => label.Length < 2 || (string?)o["metadata"]!["labels"]![label[0]] == label[1])
                    .Select(o => (JsonObject)o.DeepClone())];
                version = _version.ToString(CultureInfo.InvariantCulture);
            }
        }

        var metadata = new JsonObject { ["resourceVersion"] = version };
        if (items.Count > limit)
        {
            var next = Convert.ToBase64String(RandomNumberGenerator.GetBytes(24)) + "+/="; // must be escaped in addresses
            _pages[next] = (items[limit..], version);
            metadata["continue"] = next;
            metadata["remainingItemCount"] = items.Count - limit;
        }

        await WriteAsync(context, 200, new JsonObject
        {
            ["kind"] = resource == "secrets" ? "SecretList" : "ConfigMapList", ["apiVersion"] = "v1", ["metadata"] = metadata,
            ["items"] = new JsonArray([.. items.Take(limit)]),
        }).ConfigureAwait(false);
    }

    private static Task StatusAsync(HttpContext context, int code, string reason) => WriteAsync(context, code, new JsonObject
    {
        ["kind"] = "Status", ["apiVersion"] = "v1", ["status"] = "Failure", ["reason"] = reason, ["code"] = code,
    });

    private static async Task WriteAsync(HttpContext context, int code, JsonObject body)
    {
        context.Response.StatusCode = code;
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(body), context.RequestAborted).ConfigureAwait(false);
    }
}
