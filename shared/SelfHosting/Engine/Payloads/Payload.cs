using System.Text;
using System.Text.Json;

namespace FunctionsBackup.SelfHosting.Engine.Payloads;

/// <summary>Inputs, results and events as JSON, in the manner of the Functions worker's own serializer: fields are left out.</summary>
internal static class Payload
{
    private static readonly JsonSerializerOptions Options = new() { PropertyNameCaseInsensitive = true };

    /// <param name="value">Null: no payload.</param>
    /// <param name="bound">UTF-8 bytes that it may have.</param>
    /// <param name="what">For the refusal: "The input of the activity 'X'".</param>
    /// <exception cref="ArgumentException">It is larger than <paramref name="bound"/>.</exception>
    public static string? Serialize(object? value, int bound, string what)
    {
        if (value is null) return null;
        var json = JsonSerializer.Serialize(value, value.GetType(), Options);
        // A character is at least one byte and at most three.
        if (json.Length > bound / 3 && Encoding.UTF8.GetByteCount(json) is var size && size > bound)
        {
            throw new ArgumentException(
                $"{what} has {size:N0} bytes as JSON, more than the {bound:N0} that are allowed; pass a reference to the data instead.");
        }

        return json;
    }

    public static T? Deserialize<T>(string? json) => json is null ? default : JsonSerializer.Deserialize<T>(json, Options);

    public static object? Deserialize(string? json, Type type) => json is null ? null : JsonSerializer.Deserialize(json, type, Options);
}
