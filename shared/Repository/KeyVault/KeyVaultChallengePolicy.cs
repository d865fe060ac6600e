using System.Net.Http.Headers;
using Azure.Core;
using Azure.Core.Pipeline;

namespace FunctionsBackup.Repository.KeyVault;

/// <summary>
/// Key Vault names the tenant and the resource that a token must be for in its answer to a request without one: <c>401</c> with
/// <c>WWW-Authenticate: Bearer authorization="https://login.microsoftonline.com/TENANT", resource="https://vault.azure.net"</c>. So the
/// first request carries neither token nor body; later ones know. A resource that is not the vault's own domain is refused, or somebody
/// in its place could have tokens made for other services.
/// </summary>
internal sealed class KeyVaultChallengePolicy(TokenCredential credential) : BearerTokenAuthenticationPolicy(credential, "https://vault.azure.net/.default")
{
    private volatile Challenge? _challenge;

    protected override ValueTask AuthorizeRequestAsync(HttpMessage message)
    {
        if (_challenge is { } known) return AuthenticateAndAuthorizeRequestAsync(message, known.ToContext(message));
        message.SetProperty(typeof(KeyVaultChallengePolicy), message.Request.Content ?? RequestContent.Create(Array.Empty<byte>()));
        message.Request.Content = null;
        return ValueTask.CompletedTask;
    }

    protected override async ValueTask<bool> AuthorizeRequestOnChallengeAsync(HttpMessage message)
    {
        if (Find(message) is not { } challenge) return false;
        if (message.TryGetProperty(typeof(KeyVaultChallengePolicy), out var body) && body is RequestContent content
            && message.Request.Method != RequestMethod.Get)
            message.Request.Content = content;
        if (!challenge.IsOf(message.Request.Uri.Host ?? ""))
        {
            throw new KeyVaultRefusedException(
                $"the vault asked for a token for {challenge.Resource}, which is not its own domain; check the address of the key");
        }

        _challenge = challenge;
        await AuthenticateAndAuthorizeRequestAsync(message, challenge.ToContext(message)).ConfigureAwait(false);
        return true;
    }

    protected override void AuthorizeRequest(HttpMessage message) => throw new NotSupportedException("Only asynchronous calls are made.");

    protected override bool AuthorizeRequestOnChallenge(HttpMessage message) => throw new NotSupportedException("Only asynchronous calls are made.");

    private static Challenge? Find(HttpMessage message)
    {
        if (!message.Response.Headers.TryGetValues("WWW-Authenticate", out var values)) return null;
        foreach (var value in values)
        {
            if (!AuthenticationHeaderValue.TryParse(value, out var header) || !header.Scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
                continue;
            var fields = (header.Parameter ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                .Select(f => f.Split('=', 2)).Where(f => f.Length == 2)
                .GroupBy(f => f[0].Trim(), StringComparer.OrdinalIgnoreCase)
                .ToDictionary(f => f.Key, f => f.First()[1].Trim().Trim('"'), StringComparer.OrdinalIgnoreCase);
            var scope = fields.GetValueOrDefault("resource") ?? fields.GetValueOrDefault("scope");
            if (Uri.TryCreate(scope, UriKind.Absolute, out var resource) && resource.Scheme == Uri.UriSchemeHttps
                && Uri.TryCreate(fields.GetValueOrDefault("authorization") ?? fields.GetValueOrDefault("authorization_uri"), UriKind.Absolute, out var authority))
                return new Challenge(resource, authority.Segments.Length > 1 ? authority.Segments[1].Trim('/') : null);
        }

        return null;
    }

    /// <param name="Resource">What the token is for.</param>
    /// <param name="Tenant">Whose identities the vault trusts.</param>
    private sealed record Challenge(Uri Resource, string? Tenant)
    {
        public bool IsOf(string host) => host.Equals(Resource.Host, StringComparison.OrdinalIgnoreCase)
            || host.EndsWith("." + Resource.Host, StringComparison.OrdinalIgnoreCase);

        public TokenRequestContext ToContext(HttpMessage message) => new(
            [$"{Resource.GetLeftPart(UriPartial.Authority)}/.default"], message.Request.ClientRequestId, tenantId: Tenant);
    }
}

/// <summary>The request was not sent on, for this reason (the rest of a sentence).</summary>
internal sealed class KeyVaultRefusedException(string why) : Exception(why);
