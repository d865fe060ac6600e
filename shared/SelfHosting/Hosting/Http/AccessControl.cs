using System.Globalization;
using System.Net;
using System.Security.Claims;
using FunctionsBackup.Operations.Audit;
using FunctionsBackup.SelfHosting.Hosting.Access;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Hosting.Http;

/// <summary>
/// Finds out who calls a self-hosted API. With keys: by the key in <c>x-functions-key</c> or as a bearer token. Without: everybody on this
/// machine, and only from it; a browser that was sent here by another site is refused.
/// </summary>
internal sealed partial class AccessControl(ApiKeys keys, FailedAttempts failures, DeniedRequests denied, ILogger log)
{
    public const string KeyHeader = "x-functions-key";

    /// <summary>Sets the user of a request, or answers it. True: go on.</summary>
    public async Task<bool> AdmitAsync(HttpContext context)
    {
        if (keys.List().Count == 0)
        {
            if (IsLocal(context))
            {
                context.User = UserOf("local", Role.Approver);
                return true;
            }

            await RefuseAsync(context, StatusCodes.Status403Forbidden, "Forbidden",
                "Without API keys only programs on this machine may call; make a key with 'fbackup serve keys add'.");
            return false;
        }

        var presented = Presented(context.Request);
        if (presented is not null && keys.Find(presented) is { } key)
        {
            context.User = UserOf(key.Name, key.Role);
            return true;
        }

        var address = context.Connection.RemoteIpAddress;
        if (presented is not null && !failures.Note(address, out var retryAfter))
        {
            context.Response.Headers.RetryAfter =
                Math.Max(1, (int)Math.Ceiling(retryAfter.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
            await RefuseAsync(context, StatusCodes.Status429TooManyRequests, "Too Many Requests",
                "There were too many wrong keys from this address; wait a minute, and check the key.");
            return false;
        }

        if (presented is not null) LogWrongKey(log, address, context.Request.Method, context.GetEndpoint()?.DisplayName);
        context.Response.Headers.WWWAuthenticate = "Bearer";
        await RefuseAsync(context, StatusCodes.Status401Unauthorized, "Unauthorized", presented is null
            ? $"A key is needed; send it as the header '{KeyHeader}', or as a bearer token."
            : "The key is not known; it may have been removed.");
        return false;
    }

    private async Task RefuseAsync(HttpContext context, int status, string title, string why)
    {
        await denied.NoteAsync(
            AuditActor.Anonymous, context.Connection.RemoteIpAddress?.ToString(),
            $"{context.Request.Method} {context.GetEndpoint()?.DisplayName}", status, why);
        await Problem.WriteAsync(context, status, title, why);
    }

    private static string? Presented(HttpRequest request)
    {
        if (request.Headers[KeyHeader] is [{ Length: > 0 } key]) return key;
        return request.Headers.Authorization is [{ } text] && text.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)
            ? text[7..].Trim()
            : null;
    }

    /// <summary>From this machine, addressed as this machine (a name that an attacker's server gives out will not do), and not by a page of
    /// another site.</summary>
    private static bool IsLocal(HttpContext context) =>
        context.Connection.RemoteIpAddress is { } address && IPAddress.IsLoopback(address)
        && (context.Request.Host.Host == "localhost"
            || (IPAddress.TryParse(context.Request.Host.Host.Trim('[', ']'), out var host) && IPAddress.IsLoopback(host)))
        && context.Request.Headers["Sec-Fetch-Site"] is [] or ["same-origin"] or ["none"]
        && (context.Request.Headers.Origin is not [{ } origin] || origin == $"{context.Request.Scheme}://{context.Request.Host}");

    private static ClaimsPrincipal UserOf(string name, Role role)
    {
        var identity = new ClaimsIdentity("ApiKey");
        identity.AddClaim(new Claim(ClaimTypes.Name, name));
        for (var each = Role.Viewer; each <= role; each++)
            identity.AddClaim(new Claim(ClaimTypes.Role, each.ToString().ToLowerInvariant()));
        return new ClaimsPrincipal(identity);
    }

    [LoggerMessage(4201, LogLevel.Warning, "A request with a wrong API key was refused: from {Address}, {Method} {Route}.")]
    private static partial void LogWrongKey(ILogger logger, IPAddress? address, string method, string? route);
}
