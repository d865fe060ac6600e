using Azure.Core;
using Azure.Core.Pipeline;

namespace FunctionsBackup.Repository.KeyVault;

/// <summary>How a key is reached.</summary>
/// <param name="Key">Which: <c>https://VAULT/keys/NAME</c>, with <c>/VERSION</c> to wrap with that one.</param>
public sealed record KeyVaultOptions(KeyVaultAddress Key)
{
    /// <summary>Client id of a user-assigned managed identity.</summary>
    public string? ManagedIdentity { get; init; }

    /// <summary>Repetitions after a failure that may pass by itself.</summary>
    public int Retries { get; init; } = 3;

    /// <summary>Of each request.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>Whose tokens; null: Azure.Identity's default chain.</summary>
    internal TokenCredential? Credential { get; init; }

    /// <summary>For tests whose server's certificate only they trust.</summary>
    internal HttpPipelineTransport? Transport { get; init; }
}
