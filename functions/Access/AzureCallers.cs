using System.Security.Claims;
using System.Text.Json;
using FunctionsBackup.Operations.Audit;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace FunctionsBackup.Functions.Access;

/// <summary>
/// On Azure: with Entra ID (App Service authentication), the application roles <c>viewer</c>, <c>operator</c> and <c>approver</c> of whoever is
/// signed in; else whoever has a function key, which carries the role of the setting <c>FBACKUP_FUNCTION_KEY_ROLE</c>, <c>operator</c> unless set.
/// A key names nobody, so it approves nothing unless that is asked for.
/// </summary>
public sealed class AzureCallers(IConfiguration settings) : ICallerSource
{
    public const string KeyRole = "FBACKUP_FUNCTION_KEY_ROLE";

    private const string PrincipalHeader = "X-MS-CLIENT-PRINCIPAL";

    public Caller Find(HttpRequest request)
    {
        // The platform sets this header, and removes one that a caller sends, only where authentication is on.
        if (string.Equals(settings["WEBSITE_AUTH_ENABLED"], "true", StringComparison.OrdinalIgnoreCase)
            && request.Headers[PrincipalHeader] is [{ Length: > 0 } header])
            return Read(header) is { } principal
                ? HostCallers.Of(principal) with { Kind = AuditActorKind.EntraId, Id = principal.Claims.FirstOrDefault(IsObjectId)?.Value }
                : new Caller("unknown", null);
        return new Caller("function key", Enum.TryParse<ApiRole>(settings[KeyRole], ignoreCase: true, out var role) && Enum.IsDefined(role)
            ? role
            : settings[KeyRole] is { Length: > 0 } ? null : ApiRole.Operator)
        {
            Kind = AuditActorKind.FunctionKey,
        };
    }

    private static bool IsObjectId(Claim claim) => claim.Type is "oid" or "http://schemas.microsoft.com/identity/claims/objectidentifier";

    private static ClaimsPrincipal? Read(string header)
    {
        try
        {
            var principal = JsonSerializer.Deserialize<Principal>(Convert.FromBase64String(header));
            if (principal?.Claims is null) return null;
            var identity = new ClaimsIdentity(
                principal.Claims.Where(c => c is { Type: not null, Value: not null }).Select(c => new Claim(c.Type!, c.Value!)),
                principal.AuthenticationType ?? "aad", principal.NameType ?? ClaimTypes.Name, principal.RoleType ?? ClaimTypes.Role);
            return new ClaimsPrincipal(identity);
        }
        catch (Exception e) when (e is FormatException or JsonException)
        {
            return null;
        }
    }

    private sealed class Principal
    {
        [System.Text.Json.Serialization.JsonPropertyName("auth_typ")]
        public string? AuthenticationType { get; set; }

        [System.Text.Json.Serialization.JsonPropertyName("name_typ")]
        public string? NameType { get; set; }

        [System.Text.Json.Serialization.JsonPropertyName("role_typ")]
        public string? RoleType { get; set; }

        [System.Text.Json.Serialization.JsonPropertyName("claims")]
        public List<ClaimEntry>? Claims { get; set; }
    }

    private sealed class ClaimEntry
    {
        [System.Text.Json.Serialization.JsonPropertyName("typ")]
        public string? Type { get; set; }

        [System.Text.Json.Serialization.JsonPropertyName("val")]
        public string? Value { get; set; }
    }
}
