using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Functions.Http;

/// <summary>Reads what stands after the question mark; what is not known is refused, so that a misspelt filter does not go unnoticed.</summary>
internal static class QueryValues
{
    /// <exception cref="ProblemException">There is one of another name, or one twice.</exception>
    public static void Allow(HttpRequest request, params ReadOnlySpan<string> names)
    {
        foreach (var (name, values) in request.Query)
        {
            if (!names.Contains(name))
                throw ProblemException.BadRequest(names.Length == 0
                    ? "This address takes no query parameters."
                    : $"There is a query parameter that is not known; this address takes {string.Join(", ", names.ToArray())}.");
            if (values.Count > 1) throw ProblemException.BadRequest($"The query parameter '{name}' stands there more than once; keep one.");
        }
    }

    public static string? Text(HttpRequest request, string name, int maximum = 2048) => request.Query[name] is not [{ Length: > 0 } text] ? null
        : text.Length <= maximum ? text : throw ProblemException.BadRequest($"The query parameter '{name}' is too long.");

    /// <summary>An instant with its offset, ISO 8601, not in the future.</summary>
    public static DateTimeOffset? Moment(HttpRequest request, string name, DateTimeOffset now)
    {
        if (Text(request, name) is not { } text) return null;
        // A plus that was not encoded arrives as a space.
        if (!DateTimeOffset.TryParseExact(text.Replace(' ', '+'),
            ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK"], CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal, out var moment))
            throw ProblemException.BadRequest($"The query parameter '{name}' must be a time as 2026-11-22T02:00:00Z.");
        return moment <= now ? moment : throw ProblemException.BadRequest($"The query parameter '{name}' is in the future.");
    }

    public static int Count(HttpRequest request, string name, int standard, int maximum) => Text(request, name) is not { } text ? standard
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count >= 1 && count <= maximum ? count
        : throw ProblemException.BadRequest($"The query parameter '{name}' must be a whole number from 1 to {maximum}.");
}
