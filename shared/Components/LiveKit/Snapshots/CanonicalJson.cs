using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace FunctionsBackup.Components.LiveKit.Snapshots;

/// <summary>
/// One form of the same value, so that what did not change is stored once: fields by name (ordinal), indented by two spaces, numbers as they came,
/// text escaped as little as JSON asks. Every field is kept, known or not.
/// </summary>
public static class CanonicalJson
{
    private static readonly JsonWriterOptions Options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <exception cref="LiveKitException">A text in it is no Unicode.</exception>
    public static byte[] Write(JsonElement value)
    {
        var output = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(output, Options))
        {
            try
            {
                Write(writer, value);
            }
            catch (InvalidOperationException e) // half a surrogate pair
            {
                throw new LiveKitException("The LiveKit server answers with a text that is no Unicode; look at what was put into its rooms.", "malformed", e);
            }
        }

        output.Write("\n"u8);
        return output.WrittenSpan.ToArray();
    }

    private static void Write(Utf8JsonWriter writer, JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var field in value.EnumerateObject().OrderBy(f => f.Name, StringComparer.Ordinal))
                {
                    writer.WritePropertyName(field.Name);
                    Write(writer, field.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(writer, item);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String:
                writer.WriteStringValue(value.GetString());
                break;
            default:
                value.WriteTo(writer); // of a number, the characters that it came with
                break;
        }
    }
}
