using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Storage.Buckets;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>What a catalog keeps of an object besides path, size, time and content: the <c>extra</c> of its entry, JSON (FORMAT.md §7).</summary>
internal sealed record BucketFacts
{
    /// <summary>The key, where the path is by its hash; null: the key is the path without its root.</summary>
    public string? Key { get; init; }

    /// <summary>Its entity tag when it was read.</summary>
    public required string Tag { get; init; }

    public required BucketProperties Properties { get; init; }

    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, BucketJson.Default.BucketFacts);

    /// <summary>Null: the entry is not of an object, or what stands beside it is not what was written: then it is read anew, and restored without it.</summary>
    public static BucketFacts? Of(CatalogEntry entry)
    {
        if (entry.Extra.IsEmpty) return null;
        try
        {
            return JsonSerializer.Deserialize(entry.Extra.Span, BucketJson.Default.BucketFacts);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Web, RespectNullableAnnotations = true, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(BucketFacts))]
internal sealed partial class BucketJson : JsonSerializerContext;
