using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace FunctionsBackup.Operations.Audit;

/// <summary>An entry as a line of JSON, snake_case: as it is kept and as it is exported.</summary>
public static class AuditJson
{
    private static readonly AuditJsonContext Context = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
        RespectNullableAnnotations = true,
        // Names of people and places as they are; what is exported as HTML is escaped there.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });

    /// <summary>One line, without its end.</summary>
    public static byte[] Write(AuditEntry entry) => JsonSerializer.SerializeToUtf8Bytes(entry, Context.AuditEntry);

    /// <summary>Null: it is no entry that this program understands.</summary>
    public static AuditEntry? Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var entry = JsonSerializer.Deserialize(line, Context.AuditEntry);
            // Members that a line lacks are null, whatever the type says.
            return entry is null ? null : entry with
            {
                Id = entry.Id ?? "", Host = entry.Host ?? "", Facts = entry.Facts ?? new Dictionary<string, string>(), Items = entry.Items ?? [],
            };
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>An id that sorts by time, and is a legal name of an object.</summary>
    internal static string NewId(DateTimeOffset at) => string.Create(
        CultureInfo.InvariantCulture,
        $"{at.UtcDateTime:yyyyMMdd'T'HHmmss'.'fffffff'Z'}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4))}");

    internal static string Cut(string text, int length)
    {
        var clean = text.Any(IsUnfit) ? Clean(text) : text;
        if (clean.Length <= length) return clean;
        // Never half of a character that takes two.
        var end = char.IsHighSurrogate(clean[length - 2]) ? length - 2 : length - 1;
        return clean[..end] + "…";
    }

    /// <summary>Control characters could drive a terminal or a viewer; lone surrogates are no text.</summary>
    private static bool IsUnfit(char c) => char.IsControl(c) || char.IsSurrogate(c) || c is '\u2028' or '\u2029';

    private static string Clean(string text)
    {
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) // lone surrogates come as U+FFFD
            if (rune.IsBmp && (char.IsControl((char)rune.Value) || (char)rune.Value is '\u2028' or '\u2029')) clean.Append(' ');
            else clean.Append(rune);
        return clean.ToString();
    }
}

[JsonSerializable(typeof(AuditEntry))]
internal sealed partial class AuditJsonContext : JsonSerializerContext;
