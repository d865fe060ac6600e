using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace FunctionsBackup.Functions.Access;

/// <summary>Self-hosted: the host has looked at the API key and says whose it is.</summary>
public sealed class HostCallers : ICallerSource
{
    public Caller Find(HttpRequest request) => Of(request.HttpContext.User);

    internal static Caller Of(ClaimsPrincipal user)
    {
        ApiRole? role = null;
        foreach (var each in Enum.GetValues<ApiRole>())
            if (user.Claims.Any(c => c.Type is ClaimTypes.Role or "roles" && string.Equals(c.Value, each.ToString(), StringComparison.OrdinalIgnoreCase)))
                role = each;
        return new Caller(user.Identity?.Name ?? "unknown", role);
    }
}
