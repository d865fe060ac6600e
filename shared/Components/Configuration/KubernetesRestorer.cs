using System.Net;
using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using FunctionsBackup.Components.Configuration.Sources;
using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Configuration;

/// <summary>What was applied to a cluster.</summary>
/// <param name="Objects">How many objects.</param>
/// <param name="Bytes">Of their documents.</param>
/// <param name="Warnings">One sentence each.</param>
public sealed record KubernetesRestoreReport(int Objects, long Bytes, IReadOnlyList<string> Warnings);

/// <summary>
/// Brings ConfigMaps and Secrets of a snapshot back into a cluster by server-side apply (Kubernetes API reference: "Server-Side Apply"), all of
/// them as a dry run first. Keys and objects that only the cluster has stay.
/// </summary>
/// <param name="client">Trusts the API server.</param>
/// <param name="options">Which server and namespaces.</param>
/// <param name="time">Gives pauses between attempts.</param>
public sealed class KubernetesRestorer(HttpClient client, KubernetesOptions options, TimeProvider time)
{
    private const string Manager = "fbackup";

    private readonly SourceRequests _requests = new(client, $"The Kubernetes API at {options.Url.GetLeftPart(UriPartial.Authority)}", time);

    /// <summary>Applies what the snapshot holds of the namespaces in the options.</summary>
    /// <param name="repository">Holds it.</param>
    /// <param name="snapshot">Of configuration.</param>
    /// <param name="include">Globs of paths below <c>kubernetes/</c>; empty: all.</param>
    /// <param name="overwrite">Take fields over that others manage; otherwise such an object is a conflict, and nothing is changed.</param>
    /// <param name="dryRunOnly">Only ask whether the server would take it.</param>
    /// <param name="cancellationToken">Stops between two objects.</param>
    /// <exception cref="ConfigurationSourceException">The server refuses one; in the dry run: nothing was changed.</exception>
    public async ValueTask<KubernetesRestoreReport> RunAsync(
        BackupRepository repository, Snapshot snapshot, IReadOnlyList<string> include, bool overwrite, bool dryRunOnly, CancellationToken cancellationToken)
    {
        var warnings = new List<string>();
        var (objects, bytes) = (0, 0L);
        foreach (var isDry in dryRunOnly ? (bool[])[true] : [true, false])
        {
            (objects, bytes) = (0, 0);
            warnings.Clear();
            await foreach (var item in ReadAsync(repository, snapshot, include, warnings, cancellationToken).ConfigureAwait(false))
            {
                await ApplyAsync(item, overwrite, isDry, cancellationToken).ConfigureAwait(false);
                (objects, bytes) = (objects + 1, bytes + item.Body.Length);
            }
        }

        if (objects == 0) warnings.Add($"{snapshot.Id} holds nothing of the namespaces {string.Join(", ", options.Namespaces)}, so nothing was applied.");
        return new KubernetesRestoreReport(objects, bytes, warnings);
    }

    /// <summary>The documents that would be applied.</summary>
    private async IAsyncEnumerable<Applied> ReadAsync(
        BackupRepository repository, Snapshot snapshot, IReadOnlyList<string> include, List<string> warnings, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var included = GlobSet.Parse(include);
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (entry.Kind != EntryKind.File || entry.Content!.Size > SourceEntries.MaximumBytes) continue;
            var path = Encoding.UTF8.GetString(entry.Path.Span);
            if (path.Split('/') is not ["kubernetes", _, var resource, var file] || !file.EndsWith(".json", StringComparison.Ordinal) || file.EndsWith(".raw.json", StringComparison.Ordinal)) continue;
            if (!included.IsEmpty && !included.IsMatch(entry.Path.Span["kubernetes/".Length..], isDirectory: false)) continue;
            var stream = repository.OpenContent(entry.Content);
            await using (stream.ConfigureAwait(false))
            {
                var body = new byte[entry.Content.Size];
                await stream.ReadExactlyAsync(body, cancellationToken).ConfigureAwait(false);
                if (ToApplied(path, resource, body) is not { } item)
                    warnings.Add($"{path} is no object of Kubernetes and was left out.");
                else if (!options.Namespaces.Contains(item.Namespace))
                    warnings.Add($"{path} was left out: {item.Namespace} is not among components.configuration.kubernetes.namespaces.");
                else if (item.IsMadeByCluster)
                    warnings.Add($"{path} was left out: the cluster makes it by itself.");
                else
                    yield return item;
            }
        }
    }

    /// <summary>The document says itself what it is; the path must say the same.</summary>
    private static Applied? ToApplied(string path, string resource, byte[] body)
    {
        try
        {
            if (JsonNode.Parse(body) is not JsonObject root || Text(root, "apiVersion") != "v1" || root["metadata"] is not JsonObject metadata
                || !KubernetesObject.Kinds.Contains((resource, Text(root, "kind") ?? ""))
                || Text(metadata, "name") is not { } name || Text(metadata, "namespace") is not { } space
                || path != $"kubernetes/{DocumentName.Of(space)}/{resource}/{DocumentName.Of(name)}.json") return null;
            return new Applied(space, resource, name, body)
            {
                IsMadeByCluster = name == "kube-root-ca.crt" || Text(root, "type") == "kubernetes.io/service-account-token",
            };
        }
        catch (JsonException)
        {
            return null;
        }

        static string? Text(JsonObject node, string name) => node[name] is JsonValue value && value.TryGetValue<string>(out var text) ? text : null;
    }

    private async ValueTask ApplyAsync(Applied item, bool overwrite, bool isDry, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var address = new Uri(options.Url.AbsoluteUri.TrimEnd('/') + $"/api/v1/namespaces/{Uri.EscapeDataString(item.Namespace)}/{item.Resource}/{Uri.EscapeDataString(item.Name)}"
            + $"?fieldManager={Manager}&force={(overwrite ? "true" : "false")}&fieldValidation=Strict{(isDry ? "&dryRun=All" : "")}");
        var answer = await _requests.SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Patch, address) { Content = new ByteArrayContent(item.Body) }; // JSON is YAML
                request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/apply-patch+yaml");
                request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", options.Token());
                request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
                return request;
            },
            cancellationToken).ConfigureAwait(false);
        if (answer.Status is HttpStatusCode.OK or HttpStatusCode.Created) return;
        var (what, so) = ($"{item.Resource}/{item.Name} in {item.Namespace}", isDry ? "; nothing was changed" : "; what was applied before it stays");
        throw new ConfigurationSourceException(answer.Status switch
        {
            HttpStatusCode.Conflict => $"Fields of {what} are managed by somebody else{so}; restore with --overwrite to take them over.",
            HttpStatusCode.Unauthorized => $"The Kubernetes API does not accept the token{so}; give components.configuration.kubernetes.token a valid one.",
            HttpStatusCode.Forbidden => $"The Kubernetes API forbids changing {what}{so}; give the account a role with patch and create on {item.Resource} there.",
            HttpStatusCode.NotFound => $"There is no namespace {item.Namespace}{so}; create it first.",
            HttpStatusCode.UnprocessableEntity => $"The Kubernetes API does not take {what} as it was (an immutable object, or another type){so}; delete the one that is there, or leave it out with --include.",
            _ => $"The Kubernetes API answered {(int)answer.Status} to {what}{so}; look at the server.",
        });
    }

    private sealed record Applied(string Namespace, string Resource, string Name, byte[] Body)
    {
        public bool IsMadeByCluster { get; init; }
    }
}
