using System.Net;
using System.Runtime.CompilerServices;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>
/// Key-values of Azure App Configuration by its REST interface, page by page: <c>app_configuration/KEY/LABEL.json</c>, <c>%.json</c> where
/// there is no label. ETags and times are left out: they say nothing of the configuration.
/// </summary>
public sealed class AppConfigurationSource(HttpClient client, AppConfigurationAddress address, TimeProvider time) : IConfigurationSource
{
    internal const string ApiVersion = "1.0";

    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly string[] Kept = ["content_type", "key", "label", "locked", "tags", "value"];

    private readonly SourceRequests _requests = new(client, $"App Configuration at {address.Endpoint.Authority}", time);

    public string Name => "app_configuration";

    public async IAsyncEnumerable<ConfigurationDocument> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var next = new Uri(address.Endpoint, $"/kv?api-version={ApiVersion}");
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (true)
        {
            if (!seen.Add(next.PathAndQuery)) throw new ConfigurationSourceException("App Configuration named a page a second time, so its list has no end; try again.");
            var page = next;
            var answer = await _requests.SendAsync(
                () => address.Sign(new HttpRequestMessage(HttpMethod.Get, page), [], time.GetUtcNow()), cancellationToken).ConfigureAwait(false);
            if (answer.Status != HttpStatusCode.OK) throw Refused(answer.Status);
            var list = Parse(answer.Body);
            foreach (var item in list["items"] as JsonArray ?? [])
            {
                if (item is not JsonObject setting || Text(setting, "key") is not { } key) throw NotJson();
                var clean = new JsonObject(Kept.Where(setting.ContainsKey).Select(name => KeyValuePair.Create(name, setting[name]?.DeepClone())));
                yield return new ConfigurationDocument(
                    $"{DocumentName.Of(key)}/{DocumentName.Of(Text(setting, "label") ?? "")}.json", new byte[][] { JsonSerializer.SerializeToUtf8Bytes(clean, Readable), [(byte)'\n'] }.SelectMany(b => b).ToArray());
            }

            if (Next(answer.Link, Text(list, "@nextLink")) is not { } link) yield break;
            next = new Uri(address.Endpoint, link);
            // A page elsewhere would be asked for with our signature.
            if (next.Authority != address.Endpoint.Authority) throw NotJson();
        }
    }

    /// <summary>The address of the next page, from the body or from the header <c>Link: &lt;…&gt;; rel="next"</c>.</summary>
    private static string? Next(string? header, string? body)
    {
        if (body is { Length: > 0 }) return body;
        foreach (var part in (header ?? "").Split(','))
            if (part.Contains("rel=\"next\"", StringComparison.OrdinalIgnoreCase) && part.IndexOf('<') is >= 0 and var begin && part.IndexOf('>', begin) is > 0 and var end)
                return part[(begin + 1)..end];
        return null;
    }

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

    private static ConfigurationSourceException NotJson() =>
        new("App Configuration gave something that is no list of key-values; is the endpoint in the connection string right?");

    private static ConfigurationSourceException Refused(HttpStatusCode status) => status switch
    {
        HttpStatusCode.Unauthorized => new("App Configuration does not accept the signature; look at the access key in the connection string and at this machine's clock."),
        HttpStatusCode.Forbidden => new("App Configuration forbids reading key-values; use an access key that may read."),
        _ => new($"App Configuration answered {(int)status} to the list of key-values; try again.", transient: status >= HttpStatusCode.InternalServerError),
    };
}
