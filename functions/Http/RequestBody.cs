using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace FunctionsBackup.Functions.Http;

/// <summary>Reads bodies of requests: JSON, small, and only what is known.</summary>
internal static class RequestBody
{
    /// <summary>What a request may say at most.</summary>
    public const int MaximumBytes = 64 << 10;

    private const int MaximumItems = 100;

    /// <summary>The body as a record; the record's defaults if there is none and that may be.</summary>
    /// <exception cref="ProblemException">It is too large, no JSON, or says what is not known.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, CancellationToken cancellationToken, T? whenEmpty = null)
        where T : class
    {
        if (request.ContentLength > MaximumBytes) throw TooLarge();
        var bytes = new byte[MaximumBytes + 1];
        int length;
        try
        {
            length = await request.Body.ReadAtLeastAsync(bytes, bytes.Length, throwOnEndOfStream: false, cancellationToken);
        }
        catch (BadHttpRequestException e)
        {
            throw e.StatusCode == StatusCodes.Status413PayloadTooLarge ? TooLarge() : ProblemException.BadRequest("The body is cut short.");
        }

        if (length > MaximumBytes) throw TooLarge();
        // What a browser may send to another site without asking is no JSON by its type; so this is also what keeps other sites out.
        if ((length > 0 || request.ContentType is not null) && !IsJson(request.ContentType))
            throw new ProblemException(StatusCodes.Status415UnsupportedMediaType, "The body must be JSON; send it with Content-Type: application/json.");
        if (length == 0) return whenEmpty ?? throw ProblemException.BadRequest("The body is missing; the description of the API says what it must hold.");
        try
        {
            return JsonSerializer.Deserialize<T>(bytes.AsSpan(0, length), Json.Options)
                ?? throw ProblemException.BadRequest("The body is null; it must be a JSON object.");
        }
        catch (JsonException e)
        {
            throw ProblemException.BadRequest(Sentence(e));
        }
    }

    /// <summary>A list of texts as it may come from outside.</summary>
    /// <exception cref="ProblemException">It is too long, or holds what is no text.</exception>
    public static IReadOnlyList<string> Texts(IReadOnlyList<string?> items, string name)
    {
        if (items.Count > MaximumItems) throw ProblemException.BadRequest($"The list {name} has more than {MaximumItems} items; send fewer.");
        if (items.Any(i => i is null)) throw ProblemException.BadRequest($"The list {name} has an item that is null; leave it out.");
        return [.. items.OfType<string>()];
    }

    private static bool IsJson(string? contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase)
        && (type.Charset.Length == 0 || type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase));

    private static ProblemException TooLarge() =>
        new(StatusCodes.Status413PayloadTooLarge, $"The body is larger than {MaximumBytes >> 10} KiB; send less.");

    /// <summary>Where and what, without the names of our types.</summary>
    private static string Sentence(JsonException e)
    {
        var where = e.Path is { Length: > 2 } path ? $" at {Shown(path[2..])}" : "";
        if (e.Message.Contains("could not be mapped", StringComparison.Ordinal))
            return $"The body has a field that is not known{where}; leave it out, or look how it is called in the description of the API.";
        if (e.Message.Contains("missing required", StringComparison.Ordinal)) return $"The body lacks a field that must be there: {Names(e.Message)}.";
        if (e.Message.Contains("uplicate", StringComparison.Ordinal)) return $"The body has a field twice{where}; keep one.";
        return e.Message.Contains("could not be converted", StringComparison.Ordinal) || e.Message.Contains("null", StringComparison.Ordinal)
            ? $"The body has a value of the wrong kind{where}; see the description of the API."
            : $"The body is not valid JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}.";
    }

    private static string Names(string message) => message.LastIndexOf(':') is > 0 and var colon ? message[(colon + 1)..].Trim(' ', '.') : "see its description";

    private static string Shown(string text) => new([.. text.Take(60).Select(c => char.IsControl(c) ? '?' : c)]);
}
