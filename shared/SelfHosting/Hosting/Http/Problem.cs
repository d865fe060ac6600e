using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.SelfHosting.Hosting.Http;

/// <summary>The host's own refusals, as problem details (RFC 9457).</summary>
internal static class Problem
{
    /// <summary>Writes one, unless the answer has begun.</summary>
    public static Task WriteAsync(HttpContext context, int status, string title, string detail)
    {
        if (context.Response.HasStarted) return Task.CompletedTask;
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/problem+json";
        context.Response.Headers.CacheControl = "no-store";
        var body = JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, object>
        {
            ["type"] = "about:blank", ["title"] = title, ["status"] = status, ["detail"] = detail,
        });
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }
}
