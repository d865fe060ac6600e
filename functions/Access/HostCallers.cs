using System.Security.Claims;
using FunctionsBackup.Operations.Audit;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Functions.Access;

/// <summary>Self-hosted: the host has looked at the API key and says whose it is.</summary>
public sealed class HostCallers : ICallerSource
{
    /// <summary>Without API keys everybody on the machine is let in, and nobody has a name.</summary>
    private const string KeyScheme = "ApiKey";

    public Caller Find(HttpRequest request)
    {
        var user = request.HttpContext.User;
        var keyed = user.Identity?.AuthenticationType == KeyScheme && user.Identity.Name != "local";
        return Of(user) with { Kind = keyed ? AuditActorKind.ApiKey : AuditActorKind.Anonymous };
    }

    internal static Caller Of(ClaimsPrincipal user)
    {
        ApiRole? role = null;
        foreach (var each in Enum.GetValues<ApiRole>())
            if (user.Claims.Any(c => c.Type is ClaimTypes.Role or "roles" && string.Equals(c.Value, each.ToString(), StringComparison.OrdinalIgnoreCase)))
                role = each;
        return new Caller(user.Identity?.Name ?? "unknown", role);
    }
}
