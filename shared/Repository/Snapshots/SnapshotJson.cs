using System.Text.Json;
using System.Text.Json.Serialization;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Snapshots;

/// <summary>The JSON of snapshot records, generated at compile time: a command that lists them should not pay for reflection.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, Converters = [typeof(ContentRefConverter)])]
[JsonSerializable(typeof(Snapshot))]
internal sealed partial class SnapshotJson : JsonSerializerContext;

/// <summary>A content as <c>{"size":…,"depth":…,"items":"base64"}</c>.</summary>
internal sealed class ContentRefConverter : JsonConverter<ContentRef>
{
    public override ContentRef Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        try
        {
            var items = ItemList.Decode(root.GetProperty("items").GetBytesFromBase64());
            return ItemList.Checked(new ContentRef(root.GetProperty("size").GetInt64(), root.GetProperty("depth").GetInt32(), [.. items]));
        }
        catch (Exception e) when (e is InvalidDataException or FormatException or KeyNotFoundException or InvalidOperationException)
        {
            throw new JsonException(e.Message, e);
        }
    }

    public override void Write(Utf8JsonWriter writer, ContentRef value, JsonSerializerOptions options)
    {
        var items = new byte[value.Items.Length * ItemList.ItemSize];
        for (var i = 0; i < value.Items.Length; i++) ItemList.Write(items.AsSpan(i * ItemList.ItemSize), value.Items[i]);
        writer.WriteStartObject();
        writer.WriteNumber("size", value.Size);
        writer.WriteNumber("depth", value.Depth);
        writer.WriteBase64String("items", items);
        writer.WriteEndObject();
    }
}
