using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;

namespace FunctionsBackup.Functions.Http;

/// <summary>A request that is refused: it becomes problem details (RFC 9457) with one sentence, and nothing is started.</summary>
public sealed class ProblemException(int status, string detail) : Exception(detail)
{
    public int Status => status;

    public static ProblemException BadRequest(string detail) => new(StatusCodes.Status400BadRequest, detail);

    public static ProblemException NotFound(string detail) => new(StatusCodes.Status404NotFound, detail);

    public static ProblemException Conflict(string detail) => new(StatusCodes.Status409Conflict, detail);

    /// <summary>As it is answered.</summary>
    internal static Answer ToAnswer(int status, string detail) => new(
        status, "application/problem+json", System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new ProblemView("about:blank", ReasonPhrases.GetReasonPhrase(status), status, detail), Json.Options));
}

/// <summary>Problem details (RFC 9457).</summary>
public sealed record ProblemView(string Type, string Title, int Status, string Detail);
