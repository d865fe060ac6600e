using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>What is read of a cluster.</summary>
/// <param name="Url">Of the API server.</param>
/// <param name="Token">Gives the bearer token for each request: service account tokens are renewed in their file.</param>
/// <param name="Namespaces">Which.</param>
public sealed record KubernetesOptions(Uri Url, Func<string> Token, IReadOnlyList<string> Namespaces)
{
    public string? LabelSelector { get; init; }

    public bool Secrets { get; init; } = true;

    /// <summary>Objects per page.</summary>
    public int PageSize { get; init; } = 200;
}

/// <summary>
/// ConfigMaps and Secrets by the API server's lists (Kubernetes API concepts: "Retrieving large results sets in chunks"). Each object is kept
/// twice: <c>kubernetes/NAMESPACE/configmaps/NAME.json</c>, sorted and without what the server adds, for people and for restores; and
/// <c>NAME.raw.json</c> as the server gave it.
/// </summary>
public sealed class KubernetesSource(HttpClient client, KubernetesOptions options, TimeProvider time) : IConfigurationSource
{
    /// <summary>A list that expires again and again is too large for its pages.</summary>
    private const int MaximumRestarts = 3;

    private readonly SourceRequests _requests = new(client, $"The Kubernetes API at {options.Url.GetLeftPart(UriPartial.Authority)}", time);

    public string Name => "kubernetes";

    public async IAsyncEnumerable<ConfigurationDocument> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var space in options.Namespaces.Distinct())
        {
            foreach (var (resource, kind) in KubernetesObject.Kinds)
            {
                if (resource == "secrets" && !options.Secrets) continue;
                foreach (var item in await ListAsync(space, resource, cancellationToken).ConfigureAwait(false))
                {
                    if (item["metadata"]?["name"] is not JsonValue value || !value.TryGetValue<string>(out var name))
                        throw new ConfigurationSourceException($"The Kubernetes API listed an object of {resource} in {space} without a name; is it the right server?");
                    var path = $"{DocumentName.Of(space)}/{resource}/{DocumentName.Of(name)}";
                    yield return new ConfigurationDocument(path + ".json", KubernetesObject.Clean(item, kind));
                    yield return new ConfigurationDocument(path + ".raw.json", JsonSerializer.SerializeToUtf8Bytes(item));
                }
            }
        }
    }

    /// <summary>All pages of one list. A list that expired meanwhile (410) begins anew: pages of two states do not fit together.</summary>
    private async ValueTask<List<JsonObject>> ListAsync(string space, string resource, CancellationToken cancellationToken)
    {
        for (var restart = 0; restart <= MaximumRestarts; restart++)
            if (await ListOnceAsync(space, resource, cancellationToken).ConfigureAwait(false) is { } items) return items;
        throw new ConfigurationSourceException($"The list of {resource} in {space} expired {MaximumRestarts + 1} times while it was read; choose fewer objects by a label selector.");
    }

    private async ValueTask<List<JsonObject>?> ListOnceAsync(string space, string resource, CancellationToken cancellationToken)
    {
        var items = new List<JsonObject>();
        string? next = null;
        do
        {
            var query = $"api/v1/namespaces/{Uri.EscapeDataString(space)}/{resource}?limit={options.PageSize}"
                + (options.LabelSelector is { } labels ? "&labelSelector=" + Uri.EscapeDataString(labels) : "")
                + (next is null ? "" : "&continue=" + Uri.EscapeDataString(next));
            var answer = await _requests.SendAsync(() => Get(query), cancellationToken).ConfigureAwait(false);
            if (answer.Status == HttpStatusCode.Gone && next is not null) return null;
            if (answer.Status != HttpStatusCode.OK) throw Refused(answer.Status, space, resource);
            var list = Parse(answer.Body);
            foreach (var item in list["items"] as JsonArray ?? []) items.Add(item as JsonObject ?? throw NotJson());
            if (items.Count > SourceEntries.MaximumDocuments) throw new ConfigurationSourceException($"{space} has more than {SourceEntries.MaximumDocuments} {resource}; choose fewer by a label selector.");
            next = list["metadata"]?["continue"] is JsonValue token && token.TryGetValue<string>(out var text) && text.Length > 0 ? text : null;
        }
        while (next is not null);
        return items;
    }

    private HttpRequestMessage Get(string query)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, new Uri(options.Url.AbsoluteUri.TrimEnd('/') + "/" + query));
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.Token());
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        return request;
    }

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

    private static ConfigurationSourceException NotJson() => new("The Kubernetes API gave something that is no list of objects; is components.configuration.kubernetes.url right?");

    private static ConfigurationSourceException Refused(HttpStatusCode status, string space, string resource) => status switch
    {
        HttpStatusCode.Unauthorized => new("The Kubernetes API does not accept the token; give components.configuration.kubernetes.token a valid one."),
        HttpStatusCode.Forbidden => new($"The Kubernetes API forbids listing {resource} in {space}; give the account a role with list on {resource} there."),
        HttpStatusCode.NotFound => new($"The Kubernetes API knows no {resource} in {space}; look at components.configuration.kubernetes."),
        _ => new($"The Kubernetes API answered {(int)status} to the list of {resource} in {space}; try again.", transient: status >= HttpStatusCode.InternalServerError),
    };
}
