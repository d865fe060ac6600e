using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace FunctionsBackup.Functions.Http;

/// <summary>An answer with a body. An action result, because that is what every version of the worker executes; it needs no services.</summary>
/// <param name="status">Of HTTP.</param>
/// <param name="contentType">Of the body.</param>
/// <param name="body">All of it.</param>
public sealed class Answer(int status, string contentType, ReadOnlyMemory<byte> body) : IActionResult
{
    /// <summary>The address of what was started.</summary>
    public string? Location { get; init; }

    /// <summary>What the audit log says of the request beside what it says of all.</summary>
    public IReadOnlyDictionary<string, string> Facts { get; init; } = new Dictionary<string, string>();

    public int Status => status;

    public static Answer Of(object value, int status = StatusCodes.Status200OK, string? location = null,
        IReadOnlyDictionary<string, string>? facts = null) => new(
            status, "application/json", JsonSerializer.SerializeToUtf8Bytes(value, Json.Options))
        {
            Location = location, Facts = facts ?? new Dictionary<string, string>(),
        };

    public async Task ExecuteResultAsync(ActionContext context)
    {
        var response = context.HttpContext.Response;
        response.StatusCode = status;
        response.ContentType = contentType;
        response.ContentLength = body.Length;
        response.Headers.CacheControl = "no-store";
        if (Location is not null) response.Headers.Location = Location;
        if (!HttpMethods.IsHead(context.HttpContext.Request.Method)) await response.Body.WriteAsync(body, context.HttpContext.RequestAborted);
    }
}
