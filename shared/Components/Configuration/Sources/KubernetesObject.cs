using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FunctionsBackup.Components.Configuration.Sources;

/// <summary>An object of Kubernetes in a form that two backups of the same object agree on, and that can be applied.</summary>
internal static class KubernetesObject
{
    private static readonly JsonSerializerOptions Readable = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What the server adds and changes by itself (ObjectMeta of the API reference).</summary>
    private static readonly string[] Noise =
        ["managedFields", "resourceVersion", "uid", "creationTimestamp", "generation", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"];

    /// <summary>Resource, as in addresses, and kind, as in objects.</summary>
    internal static IReadOnlyList<(string Resource, string Kind)> Kinds { get; } = [("configmaps", "ConfigMap"), ("secrets", "Secret")];

    /// <summary>Sorted, indented, without noise; with apiVersion and kind, which items of lists lack.</summary>
    internal static byte[] Clean(JsonObject item, string kind)
    {
        var clean = (JsonObject)Sort(item)!;
        if (clean["metadata"] is JsonObject metadata)
        {
            foreach (var name in Noise) metadata.Remove(name);
            if (metadata["annotations"] is JsonObject annotations)
            {
                annotations.Remove("kubectl.kubernetes.io/last-applied-configuration"); // the object once more, with its secrets
                if (annotations.Count == 0) metadata.Remove("annotations");
            }
        }

        clean["apiVersion"] = "v1";
        clean["kind"] = kind;
        return [.. JsonSerializer.SerializeToUtf8Bytes(Sort(clean), Readable), (byte)'\n'];
    }

    private static JsonNode? Sort(JsonNode? node) => node switch
    {
        JsonObject value => new JsonObject(value.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => KeyValuePair.Create(p.Key, Sort(p.Value)))),
        JsonArray list => new JsonArray([.. list.Select(Sort)]),
        _ => node?.DeepClone(),
    };
}
