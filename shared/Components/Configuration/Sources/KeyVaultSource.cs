using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>Gives a token of Azure for a scope such as <c>https://vault.azure.net/.default</c>, of a tenant if one is named.</summary>
public delegate ValueTask<string> AzureTokens(string scope, string? tenant, CancellationToken cancellationToken);

/// <summary>
/// Secrets of an Azure Key Vault by its REST interface 7.4, page by page: <c>key_vault/NAME.json</c> has the name, the content type, tags and
/// attributes; with <c>values</c> the current value stands in <c>key_vault/NAME.value</c>.
/// </summary>
public sealed class KeyVaultSource(HttpClient client, Uri vault, bool values, AzureTokens tokens, TimeProvider time) : IConfigurationSource
{
    private const string ApiVersion = "7.4";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Kept = ["contentType", "tags", "managed"];

    private readonly SourceRequests _requests = new(client, $"Key Vault at {vault.Authority}", time);
    private string? _token;

    public string Name => "key_vault";

    public async IAsyncEnumerable<ConfigurationDocument> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = new Uri(vault, $"/secrets?api-version={ApiVersion}&maxresults=25");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            if (!seen.Add(next.PathAndQuery)) throw new ConfigurationSourceException("Key Vault named a page a second time, so its list has no end; try again.");
            var list = await GetAsync(next, "list secrets", cancellationToken).ConfigureAwait(false) ?? throw NotJson();
            foreach (var node in list["value"] as JsonArray ?? [])
            {
                if (node is not JsonObject item || Text(item, "id") is not { } id || NameIn(id) is not { } name) throw NotJson();
                yield return new ConfigurationDocument(DocumentName.Of(name) + ".json", Describe(name, item));
                if (!values || item["attributes"]?["enabled"] is JsonValue enabled && enabled.TryGetValue<bool>(out var isEnabled) && !isEnabled) continue;
                // One that was removed since the list has no value any more.
                if (await GetAsync(new Uri(vault, $"/secrets/{name}/?api-version={ApiVersion}"), "get secrets", cancellationToken).ConfigureAwait(false) is { } secret)
                    yield return new ConfigurationDocument(DocumentName.Of(name) + ".value", System.Text.Encoding.UTF8.GetBytes(Text(secret, "value") ?? throw NotJson()));
            }

            if (Text(list, "nextLink") is not { Length: > 0 } link) yield break;
            // A page elsewhere would be given our token.
            if (!Uri.TryCreate(link, UriKind.Absolute, out var page) || page.Authority != vault.Authority || page.Scheme != vault.Scheme) throw NotJson();
            next = page;
        }
    }

    /// <summary>An answer; null: there is no such thing.</summary>
    private async ValueTask<JsonObject?> GetAsync(Uri address, string what, CancellationToken cancellationToken)
    {
        var answer = await SendAsync(address, cancellationToken).ConfigureAwait(false);
        if (answer.Status == HttpStatusCode.Unauthorized && answer.Challenge is { } challenge)
        {
            // The first time, or the token has run out.
            _token = await AskAsync(challenge, cancellationToken).ConfigureAwait(false);
            answer = await SendAsync(address, cancellationToken).ConfigureAwait(false);
        }

        return answer.Status switch
        {
            HttpStatusCode.OK => Parse(answer.Body),
            HttpStatusCode.NotFound => null,
            HttpStatusCode.Unauthorized => throw new ConfigurationSourceException($"Key Vault at {vault.Authority} does not accept the token; the identity must be of the vault's tenant."),
            HttpStatusCode.Forbidden => throw new ConfigurationSourceException(
                $"Key Vault at {vault.Authority} forbids to {what}; give the identity the role 'Key Vault {(values ? "Secrets User" : "Reader")}', and look at the vault's firewall."),
            _ => throw new ConfigurationSourceException(
                $"Key Vault at {vault.Authority} answered {(int)answer.Status}; try again.", transient: answer.Status >= HttpStatusCode.InternalServerError),
        };
    }

    private ValueTask<SourceAnswer> SendAsync(Uri address, CancellationToken cancellationToken) => _requests.SendAsync(
        () =>
        {
            var request = new HttpRequestMessage(HttpMethod.Get, address);
            if (_token is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", _token);
            return request;
        },
        cancellationToken);

    /// <summary>The vault says which tenant and resource a token must be for; a resource that is not its own domain is refused.</summary>
    private ValueTask<string> AskAsync(string challenge, CancellationToken cancellationToken)
    {
        var fields = challenge.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries).Select(f => f.Split('=', 2)).Where(f => f.Length == 2)
            .GroupBy(f => f[0], StringComparer.OrdinalIgnoreCase).ToDictionary(g => g.Key, g => g.First()[1].Trim('"'), StringComparer.OrdinalIgnoreCase);
        if (!Uri.TryCreate(fields.GetValueOrDefault("resource") ?? fields.GetValueOrDefault("scope"), UriKind.Absolute, out var resource) || resource.Scheme != "https"
            || !(vault.Host.Equals(resource.Host, StringComparison.OrdinalIgnoreCase) || vault.Host.EndsWith("." + resource.Host, StringComparison.OrdinalIgnoreCase)))
            throw new ConfigurationSourceException($"Key Vault at {vault.Authority} asked for a token that is not for its own domain; check the address.");
        var tenant = Uri.TryCreate(fields.GetValueOrDefault("authorization"), UriKind.Absolute, out var authority) && authority.Segments.Length > 1
            ? authority.Segments[1].Trim('/') : null;
        return tokens($"{resource.GetLeftPart(UriPartial.Authority)}/.default", tenant, cancellationToken);
    }

    private static byte[] Describe(string name, JsonObject item)
    {
        var clean = new JsonObject { ["name"] = name };
        foreach (var kept in Kept)
            if (item[kept] is { } value) clean[kept] = value.DeepClone();
        if (item["attributes"] is JsonObject attributes) clean["attributes"] = attributes.DeepClone();
        return [.. JsonSerializer.SerializeToUtf8Bytes(clean, Readable), (byte)'\n'];
    }

    /// <summary>The name in <c>https://VAULT/secrets/NAME</c>: letters, digits and hyphens.</summary>
    private static string? NameIn(string id) =>
        Uri.TryCreate(id, UriKind.Absolute, out var address) && address.Segments is [_, "secrets/", var name, ..]
            && name.TrimEnd('/') is { Length: > 0 and <= 127 } plain && plain.All(c => char.IsAsciiLetterOrDigit(c) || c == '-') ? plain : null;

    private static string? Text(JsonObject item, string name) => item[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;

    private static JsonObject Parse(byte[] body)
    {
        try
        {
            return JsonNode.Parse(body) as JsonObject ?? throw NotJson();
        }
        catch (JsonException)
        {
            throw NotJson();
        }
    }

    private static ConfigurationSourceException NotJson() => new("Key Vault gave something that is no list of secrets; is components.configuration.key_vault.url right?");
}
