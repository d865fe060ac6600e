using System.Globalization;
using System.Text.Json;

namespace FunctionsBackup.Repository.Keys;

/// <summary>The fields of a small JSON object that may be anything: every complaint is an <see cref="InvalidDataException"/>.</summary>
internal readonly struct JsonFields
{
    /// <summary>Config, slots and key records are a few hundred bytes; what is larger is none of them.</summary>
    public const int MaximumLength = 64 << 10;

    private readonly JsonElement _object;

    private JsonFields(JsonElement value) => _object = value;

    /// <summary>The fields of a JSON object whose field <c>magic</c> must be <paramref name="magic"/>.</summary>
    public static JsonFields Parse(ReadOnlyMemory<byte> utf8, string magic)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            if (document.RootElement.ValueKind != JsonValueKind.Object) throw new InvalidDataException("it is not a JSON object");
            var fields = new JsonFields(document.RootElement.Clone());
            if (fields.String("magic") != magic) throw new InvalidDataException($"its field magic is not '{magic}'");
            return fields;
        }
        catch (JsonException error)
        {
            throw new InvalidDataException("it is not JSON", error);
        }
    }

    public string String(string name) =>
        Find(name) is { ValueKind: JsonValueKind.String } value ? Text(value, name) : throw Invalid(name);

    public int Number(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var number) ? number : throw Invalid(name);

    public DateTimeOffset Time(string name) =>
        DateTimeOffset.TryParseExact(String(name), "O", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time)
            ? time
            : throw Invalid(name);

    public byte[] Bytes(string name, int length)
    {
        var bytes = new byte[length];
        var text = String(name);
        if (!Convert.TryFromBase64String(text, bytes, out var written) || written != length) throw Invalid(name);
        // The last character has bits that mean nothing; they must be as they were written all the same.
        return Convert.ToBase64String(bytes) == text ? bytes : throw Invalid(name);
    }

    /// <summary>Bytes of any length up to a limit.</summary>
    public byte[] BytesUpTo(string name, int maximum)
    {
        var text = String(name);
        var bytes = new byte[maximum];
        if (!Convert.TryFromBase64String(text, bytes, out var written) || written == 0) throw Invalid(name);
        return Convert.ToBase64String(bytes, 0, written) == text ? bytes[..written] : throw Invalid(name);
    }

    public bool Has(string name) => Find(name) is not null;

    /// <exception cref="InvalidDataException">There is another field.</exception>
    public void HasOnly(params ReadOnlySpan<string> names)
    {
        foreach (var field in _object.EnumerateObject())
            if (!IsOneOf(field, names)) throw new InvalidDataException("it has a field that this program does not know");
    }

    public JsonFields Object(string name) =>
        Find(name) is { ValueKind: JsonValueKind.Object } value ? new JsonFields(value) : throw Invalid(name);

    /// <summary>Compares bytes: a spoilt name need not be text.</summary>
    private static bool IsOneOf(JsonProperty field, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (field.NameEquals(name)) return true;
        return false;
    }

    private JsonElement? Find(string name) => _object.TryGetProperty(name, out var value) ? value : null;

    private static string Text(JsonElement value, string name)
    {
        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // An escaped lone surrogate.
            throw Invalid(name);
        }
    }

    private static InvalidDataException Invalid(string name) => new($"its field {name} is missing or malformed");
}
