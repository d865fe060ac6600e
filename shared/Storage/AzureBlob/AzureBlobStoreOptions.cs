using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>Where an Azure Blob store is and how it is used.</summary>
/// <param name="Container">It must exist.</param>
/// <remarks>
/// Credentials, the first that is there: <see cref="ConnectionString"/>, <see cref="AccountKey"/>, <see cref="SasToken"/>, else Azure
/// Identity's default chain: workload identity, managed identity, environment, Azure CLI.
/// </remarks>
public sealed record AzureBlobStoreOptions(string Container)
{
    /// <summary>Name of the storage account; needed unless the connection string or the endpoint has it.</summary>
    public string? Account { get; init; }

    /// <summary>Address of the account's blob service; null: <c>https://ACCOUNT.blob.core.windows.net</c>.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>Path in the container.</summary>
    public string? Prefix { get; init; }

    public string? ConnectionString { get; init; }

    public string? AccountKey { get; init; }

    /// <summary>A shared access signature, with or without its question mark.</summary>
    public string? SasToken { get; init; }

    /// <summary>Client id of a user-assigned managed identity; null: the machine's own.</summary>
    public string? ManagedIdentity { get; init; }

    /// <summary><c>hot</c>, <c>cool</c> or <c>cold</c>, of new blobs; null: the account's default.</summary>
    public string? Tier { get; init; }

    /// <summary>Index tags of new blobs.</summary>
    public IReadOnlyDictionary<string, string> Tags { get; init; } = new Dictionary<string, string>();

    /// <summary>Immutability policy of new blobs; the container must support them for versions. Null: none.</summary>
    public RetentionLock? Lock { get; init; }

    public RemoteLimits Limits { get; init; } = new();
}
