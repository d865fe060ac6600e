using System.Collections.Concurrent;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Servers;

/// <summary>
/// Stands in for AWS KMS on loopback: Encrypt and Decrypt with symmetric keys and aliases, with the real service's checks of signature,
/// region, target, fields, encryption context, state and permission.
/// </summary>
public sealed class KmsServer : IAsyncDisposable
{
    public const string AccessKey = "AKIDPLANTED";
    public const string SecretKey = "kms-secret-PLANTED";
    public const string Account = "123456789012";

    private readonly ConcurrentDictionary<string, Key> _keys = new();
    private readonly ConcurrentDictionary<string, string> _aliases = new();
    private readonly WebApplication _app;

    private KmsServer(WebApplication app, int port)
    {
        _app = app;
        Endpoint = new Uri($"http://127.0.0.1:{port}/");
        app.Run(AnswerAsync);
    }

    public Uri Endpoint { get; }

    public string Region { get; } = "eu-central-1";

    /// <summary>Operations that the identity may use.</summary>
    public HashSet<string> Permissions { get; } = ["Encrypt", "Decrypt"];

    /// <summary>Operation, key and encryption context of what was done, as in <c>Encrypt arn:… a=b,c=d</c>.</summary>
    public ConcurrentQueue<string> Requests { get; } = [];

    public static async Task<KmsServer> StartAsync()
    {
        var port = FreePorts.Take();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(options => options.Listen(IPAddress.Loopback, port));
        var server = new KmsServer(builder.Build(), port);
        await server._app.StartAsync().ConfigureAwait(false);
        return server;
    }

    /// <returns>The ARN of a new key.</returns>
    public string AddKey()
    {
        var arn = $"arn:aws:kms:{Region}:{Account}:key/{Guid.NewGuid():D}";
        _keys[arn] = new Key();
        return arn;
    }

    /// <returns>The ARN of the alias, new or pointed elsewhere.</returns>
    public string Point(string alias, string key)
    {
        var arn = $"arn:aws:kms:{Region}:{Account}:alias/{alias}";
        _aliases[arn] = key;
        return arn;
    }

    public void SetEnabled(string arn, bool enabled) => _keys[arn].Enabled = enabled;

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (status, answer) = (200, "");
        try
        {
            using var buffer = new MemoryStream();
            await context.Request.Body.CopyToAsync(buffer).ConfigureAwait(false);
            answer = Operate(context.Request, buffer.ToArray());
        }
        catch (Refusal refusal)
        {
            status = 400;
            answer = JsonSerializer.Serialize(new Dictionary<string, string> { ["__type"] = refusal.Type, ["message"] = refusal.Message });
        }

        context.Response.StatusCode = status;
        context.Response.ContentType = "application/x-amz-json-1.1";
        context.Response.Headers["x-amzn-RequestId"] = Guid.NewGuid().ToString();
        await context.Response.WriteAsync(answer).ConfigureAwait(false);
    }

    private string Operate(HttpRequest request, byte[] body)
    {
        if (SignatureV4.FindProblem(request, body, AccessKey, SecretKey, Region, "kms") is { } problem)
            throw new Refusal(problem == "unknown access key" ? "UnrecognizedClientException" : "InvalidSignatureException", problem);
        if (request.Method != "POST" || request.Path != "/" || request.ContentType != "application/x-amz-json-1.1")
            throw new Refusal("UnknownOperationException", "not a KMS request");
        var operation = request.Headers["X-Amz-Target"].ToString() switch
        {
            "TrentService.Encrypt" => "Encrypt",
            "TrentService.Decrypt" => "Decrypt",
            _ => throw new Refusal("UnknownOperationException", "unknown operation"),
        };
        using var document = JsonDocument.Parse(body);
        var root = document.RootElement;
        var given = root.GetProperty("KeyId").GetString()!;
        var arn = _aliases.TryGetValue(given, out var target) ? target : given;
        if (!_keys.TryGetValue(arn, out var key)) throw new Refusal("NotFoundException", $"Key '{given}' does not exist");
        if (!Permissions.Contains(operation))
            throw new Refusal("AccessDeniedException", $"User: arn:aws:iam::{Account}:user/backup is not authorized to perform: kms:{operation}");
        if (!key.Enabled) throw new Refusal("DisabledException", $"{arn} is disabled.");
        var encryptionContext = root.TryGetProperty("EncryptionContext", out var fields)
            ? string.Join(',', fields.EnumerateObject().OrderBy(f => f.Name, StringComparer.Ordinal).Select(f => $"{f.Name}={f.Value.GetString()}")) : "";
        Requests.Enqueue($"{operation} {given} {encryptionContext}");
        return operation == "Encrypt" ? Encrypt(root, arn, key, encryptionContext) : Decrypt(root, arn, key, encryptionContext);
    }

    private static string Encrypt(JsonElement root, string arn, Key key, string context)
    {
        var plaintext = root.GetProperty("Plaintext").GetBytesFromBase64();
        if (plaintext.Length is 0 or > 4096) throw new Refusal("ValidationException", "Plaintext has 1 to 4096 bytes");
        return JsonSerializer.Serialize(new
        {
            CiphertextBlob = Convert.ToBase64String(key.Seal(plaintext, arn, context)), EncryptionAlgorithm = "SYMMETRIC_DEFAULT", KeyId = arn,
        });
    }

    private string Decrypt(JsonElement root, string arn, Key key, string context)
    {
        var blob = root.GetProperty("CiphertextBlob").GetBytesFromBase64();
        var plaintext = key.Open(blob, arn, context);
        if (plaintext is null && _keys.Values.Any(other => other != key && other.Made(blob)))
            throw new Refusal("IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.");
        if (plaintext is null) throw new Refusal("InvalidCiphertextException", "");
        return JsonSerializer.Serialize(new
        {
            Plaintext = Convert.ToBase64String(plaintext), EncryptionAlgorithm = "SYMMETRIC_DEFAULT", KeyId = arn,
        });
    }

    private sealed class Key
    {
        private readonly byte[] _id = RandomNumberGenerator.GetBytes(16);
        private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

        public bool Enabled { get; set; } = true;

        public bool Made(ReadOnlySpan<byte> blob) => blob.StartsWith(_id);

        public byte[] Seal(byte[] plaintext, string arn, string context)
        {
            var nonce = RandomNumberGenerator.GetBytes(12);
            byte[] ciphertext = new byte[plaintext.Length], tag = new byte[16];
            using var aes = new AesGcm(_key, 16);
            aes.Encrypt(nonce, plaintext, ciphertext, tag, Encoding.UTF8.GetBytes($"{arn}\n{context}"));
            return [.. _id, .. nonce, .. tag, .. ciphertext];
        }

        public byte[]? Open(byte[] blob, string arn, string context)
        {
            if (!Made(blob) || blob.Length < 44) return null;
            var plaintext = new byte[blob.Length - 44];
            using var aes = new AesGcm(_key, 16);
            try
            {
                aes.Decrypt(blob.AsSpan(16, 12), blob.AsSpan(44), blob.AsSpan(28, 16), plaintext, Encoding.UTF8.GetBytes($"{arn}\n{context}"));
                return plaintext;
            }
            catch (AuthenticationTagMismatchException)
            {
                return null;
            }
        }
    }

    private sealed class Refusal(string type, string message) : Exception(message)
    {
        public string Type { get; } = type;
    }
}
