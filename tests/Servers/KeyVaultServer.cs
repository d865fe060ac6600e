using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// Stands in for Azure Key Vault's keys on loopback, over TLS: real RSA keys with versions, and the refusals of the real service (challenge,
/// token, api-version, permissions, algorithm, body, disabled and missing keys). Also an App Service identity endpoint that gives the tokens.
/// </summary>
public sealed class KeyVaultServer : IAsyncDisposable
{
    public const string IdentityHeader = "identity-header-PLANTED";

    private readonly ConcurrentDictionary<string, List<Version>> _keys = new(StringComparer.OrdinalIgnoreCase);
    private readonly WebApplication _app;
    private readonly X509Certificate2 _certificate;
    private readonly Lock _gate = new();
    private readonly int _identityPort;
    private int _troubles;

    private KeyVaultServer(WebApplication app, X509Certificate2 certificate, int port, int identityPort)
    {
        (_app, _certificate, Port, _identityPort) = (app, certificate, port, identityPort);
        app.Run(AnswerAsync);
    }

    public int Port { get; }

    /// <summary><c>https://localhost:PORT</c>.</summary>
    public string Vault => $"https://localhost:{Port}";

    /// <summary>What a client that trusts nobody else needs.</summary>
    public X509Certificate2 Certificate => _certificate;

    /// <summary>The only token that is accepted.</summary>
    public string Token { get; set; } = "token-PLANTED";

    /// <summary>What the challenge says that tokens must be for.</summary>
    public string? Resource { get; set; }

    /// <summary>Of the identity.</summary>
    public HashSet<string> Permissions { get; } = ["get", "wrapKey", "unwrapKey"];

    /// <summary>Name to value.</summary>
    public ConcurrentDictionary<string, string> Secrets { get; } = [];

    /// <summary>Method and path of every request that had a token, as in <c>POST /keys/backup/…/wrapkey</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    /// <summary>Variables that make Azure.Identity find the identity endpoint.</summary>
    public IEnumerable<(string Name, string Value)> Environment =>
        [("IDENTITY_ENDPOINT", $"http://127.0.0.1:{_identityPort}/msi/token"), ("IDENTITY_HEADER", IdentityHeader)];

    public static async Task<KeyVaultServer> StartAsync()
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
        int port = FreePorts.Take(), identity = FreePorts.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.Listen(IPAddress.Loopback, port, listen => listen.UseHttps(certificate));
            options.Listen(IPAddress.Loopback, identity);
        });
        var server = new KeyVaultServer(builder.Build(), certificate, port, identity);
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    /// <summary>Makes a key, or a new version of it.</summary>
    /// <returns>The version.</returns>
    public string AddVersion(string name, bool isRsa = true)
    {
        var version = RandomNumberGenerator.GetHexString(32, lowercase: true);
        lock (_gate) _keys.GetOrAdd(name, _ => []).Add(new Version(version, RSA.Create(2048), isRsa));
        return version;
    }

    public void Disable(string name, string version) => _keys[name].Single(v => v.Id == version).Enabled = false;

    public void Enable(string name, string version) => _keys[name].Single(v => v.Id == version).Enabled = true;

    public void Delete(string name) => _keys.TryRemove(name, out _);

    /// <summary>Answers so many requests with 503.</summary>
    public void BeInTrouble(int requests) => Volatile.Write(ref _troubles, requests);

    public string WriteCertificate(string path)
    {
        File.WriteAllText(path, _certificate.ExportCertificatePem());
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync().ConfigureAwait(false);
        _certificate.Dispose();
        foreach (var version in _keys.Values.SelectMany(v => v)) version.Rsa.Dispose();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        if (context.Connection.LocalPort == _identityPort)
        {
            await AnswerIdentityAsync(context).ConfigureAwait(false);
            return;
        }

        try
        {
            if (Volatile.Read(ref _troubles) > 0 && Interlocked.Decrement(ref _troubles) >= 0) throw new Refusal(503, "ServiceUnavailable", "Try later");
            var answer = await OperateAsync(context).ConfigureAwait(false);
            context.Response.ContentType = "application/json; charset=utf-8";
            await context.Response.WriteAsync(answer).ConfigureAwait(false);
        }
        catch (Refusal refusal)
        {
            context.Response.StatusCode = refusal.Status;
            if (refusal.Status == 401)
            {
                context.Response.Headers.WWWAuthenticate =
                    $"Bearer authorization=\"https://login.microsoftonline.com/72f988bf-0000-0000-0000-2d7cd011db47\", resource=\"{Resource ?? Vault}\"";
            }

            context.Response.ContentType = "application/json; charset=utf-8";
            object error = refusal.Inner is null
                ? new { code = refusal.Code, message = refusal.Message }
                : new { code = refusal.Code, message = refusal.Message, innererror = new { code = refusal.Inner } };
            await context.Response.WriteAsync(JsonSerializer.Serialize(new { error })).ConfigureAwait(false);
        }
    }

    private async Task<string> OperateAsync(HttpContext context)
    {
        var request = context.Request;
        var given = request.Headers.Authorization.ToString();
        if (given.Length == 0) throw new Refusal(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.");
        if (given != $"Bearer {Token}") throw new Refusal(401, "Unauthorized", "AKV10032: Invalid issuer or signature of the token.");
        Requests.Enqueue($"{request.Method} {request.Path}");
        if (request.Query["api-version"] != "7.4") throw new Refusal(400, "BadParameter", "The api-version query parameter is not provided or unknown.");
        switch (request.Method, request.Path.Value!.Split('/'))
        {
            case ("GET", ["", "keys", var name, ""]):
                Allow("get");
                return Describe(name, Find(name)[^1]);
            case ("GET", ["", "secrets"]):
                Allow("list");
                return ListSecrets(request);
            case ("GET", ["", "secrets", var secret, ""]):
                Allow("getSecret");
                return Secrets.TryGetValue(secret, out var text)
                    ? JsonSerializer.Serialize(new { id = $"{Vault}/secrets/{secret}/0123456789abcdef0123456789abcdef", value = text, attributes = new { enabled = true } })
                    : throw new Refusal(404, "SecretNotFound", $"A secret with (name/id) {secret} was not found in this key vault.");
            case ("POST", ["", "keys", var name, { Length: > 0 } id, "wrapkey" or "unwrapkey"]):
                var wraps = request.Path.Value.EndsWith("/wrapkey", StringComparison.Ordinal);
                Allow(wraps ? "wrapKey" : "unwrapKey");
                var version = Find(name).Find(v => v.Id == id)
                    ?? throw new Refusal(404, "KeyNotFound", $"A key with (name/id) {name}/{id} was not found in this key vault.");
                var value = await ReadAsync(request).ConfigureAwait(false);
                if (!version.Enabled)
                    throw new Refusal(403, "Forbidden", $"Operation {(wraps ? "wrapKey" : "unwrapKey")} is not allowed on a disabled key.", "KeyDisabled");
                try
                {
                    var result = wraps
                        ? version.Rsa.Encrypt(value, RSAEncryptionPadding.OaepSHA256)
                        : version.Rsa.Decrypt(value, RSAEncryptionPadding.OaepSHA256);
                    return JsonSerializer.Serialize(new { kid = $"{Vault}/keys/{name}/{id}", value = Base64Url.EncodeToString(result) });
                }
                catch (CryptographicException)
                {
                    throw new Refusal(400, "BadParameter", "The parameter is incorrect.");
                }

            default:
                throw new Refusal(404, "NotFound", "There is nothing here.");
        }
    }

    /// <summary>At most 25 a page, as the real service has it.</summary>
    private string ListSecrets(HttpRequest request)
    {
        if (!int.TryParse(request.Query["maxresults"].FirstOrDefault() ?? "25", out var count) || count is < 1 or > 25)
            throw new Refusal(400, "BadParameter", "maxresults must be from 1 to 25.");
        var after = request.Query["$skiptoken"].ToString();
        var rest = Secrets.Keys.Order(StringComparer.Ordinal).Where(n => string.CompareOrdinal(n, after) > 0).ToList();
        return JsonSerializer.Serialize(new
        {
            value = rest.Take(count).Select(n => new { id = $"{Vault}/secrets/{n}", attributes = new { enabled = true, updated = 1764200000 }, tags = new { team = "voice" } }),
            nextLink = rest.Count > count ? $"{Vault}/secrets?api-version=7.4&maxresults={count}&$skiptoken={rest[count - 1]}" : null,
        });
    }

    private string Describe(string name, Version version)
    {
        var parameters = version.Rsa.ExportParameters(false);
        return JsonSerializer.Serialize(new
        {
            key = new
            {
                kid = $"{Vault}/keys/{name}/{version.Id}",
                kty = version.IsRsa ? "RSA" : "EC",
                key_ops = new[] { "wrapKey", "unwrapKey" },
                n = Base64Url.EncodeToString(parameters.Modulus),
                e = Base64Url.EncodeToString(parameters.Exponent),
            },
            attributes = new { enabled = version.Enabled },
        });
    }

    private static async Task<byte[]> ReadAsync(HttpRequest request)
    {
        if (request.ContentType?.StartsWith("application/json", StringComparison.Ordinal) != true)
            throw new Refusal(415, "UnsupportedMediaType", "The content type must be application/json.");
        using var document = await JsonDocument.ParseAsync(request.Body).ConfigureAwait(false);
        var fields = document.RootElement.EnumerateObject().ToDictionary(f => f.Name, f => f.Value.GetString() ?? "");
        if (!fields.Keys.Order().SequenceEqual(["alg", "value"])) throw new Refusal(400, "BadParameter", "Property has invalid value");
        if (fields["alg"] != "RSA-OAEP-256") throw new Refusal(400, "BadParameter", $"Algorithm {fields["alg"]} is not expected here");
        try
        {
            if (fields["value"].Contains('=')) throw new FormatException();
            return Base64Url.DecodeFromUtf8(Encoding.ASCII.GetBytes(fields["value"]));
        }
        catch (FormatException)
        {
            throw new Refusal(400, "BadParameter", "Property value has invalid value");
        }
    }

    private async Task AnswerIdentityAsync(HttpContext context)
    {
        var request = context.Request;
        if (request.Path != "/msi/token" || request.Headers["X-IDENTITY-HEADER"] != IdentityHeader || request.Query["resource"] != (Resource ?? Vault))
        {
            context.Response.StatusCode = 400;
            return;
        }

        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(JsonSerializer.Serialize(new
        {
            access_token = Token, token_type = "Bearer", resource = Resource ?? Vault,
            expires_on = TimeProvider.System.GetUtcNow().AddHours(8).ToUnixTimeSeconds().ToString(System.Globalization.CultureInfo.InvariantCulture),
        })).ConfigureAwait(false);
    }

    private void Allow(string operation)
    {
        if (!Permissions.Contains(operation))
        {
            throw new Refusal(
                403, "Forbidden", $"Caller is not authorized to perform action on resource. Action: 'keys/{operation}'", "ForbiddenByRbac");
        }
    }

    private List<Version> Find(string name)
    {
        lock (_gate)
        {
            return _keys.TryGetValue(name, out var versions) ? [.. versions]
                : throw new Refusal(404, "KeyNotFound", $"A key with (name/id) {name} was not found in this key vault.");
        }
    }

    private sealed class Version(string id, RSA rsa, bool isRsa)
    {
        public string Id { get; } = id;

        public RSA Rsa { get; } = rsa;

        public bool IsRsa { get; } = isRsa;

        public bool Enabled { get; set; } = true;
    }

    private sealed class Refusal(int status, string code, string message, string? inner = null) : Exception(message)
    {
        public int Status { get; } = status;

        public string Code { get; } = code;

        public string? Inner { get; } = inner;
    }
}
