using System.Text.Json;
using System.Text.Json.Serialization;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>An LSN as a JSON string, <c>"16/B374D848"</c>.</summary>
public sealed class LsnJsonConverter : JsonConverter<Lsn>
{
    public override Lsn Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Lsn.TryParse(reader.GetString(), out var lsn) ? lsn : throw new JsonException("That is not an LSN.");

    public override void Write(Utf8JsonWriter writer, Lsn value, JsonSerializerOptions options) =>
        writer.WriteStringValue(value.ToString());
}
