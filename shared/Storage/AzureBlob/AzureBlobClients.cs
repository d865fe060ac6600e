using Azure;
using Azure.Core.Pipeline;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>Makes the SDK's client: our own handler, no repetitions of its own, credentials as configured.</summary>
internal static class AzureBlobClients
{
    /// <exception cref="StoreAccessException">What is configured is no address or no credential.</exception>
    public static (BlobContainerClient Container, HttpClient Http) Create(AzureBlobStoreOptions options)
    {
        var http = new HttpClient(HttpHandlers.Create(options.Limits)) { Timeout = Timeout.InfiniteTimeSpan };
        try
        {
            return (Create(options, http), http);
        }
        catch (Exception e) when (e is FormatException or ArgumentException)
        {
            http.Dispose();
            // The inner exception's message may repeat a part of the secret.
            throw new StoreAccessException(
                $"Cannot use container {options.Container}: the connection string, the key or the address is malformed; copy it again.");
        }
    }

    private static BlobContainerClient Create(AzureBlobStoreOptions options, HttpClient http)
    {
        var settings = new BlobClientOptions { Transport = new HttpClientTransport(http) };
        settings.Retry.MaxRetries = 0; // ours have deadlines, jitter and know what an unknown outcome means
        settings.Retry.NetworkTimeout = Timeout.InfiniteTimeSpan;
        settings.Diagnostics.IsLoggingEnabled = false;
        settings.Diagnostics.IsDistributedTracingEnabled = false;
        if (options.ConnectionString is { } connection) return new BlobContainerClient(connection, options.Container, settings);
        if (options.Endpoint is null && options.Account is null)
            throw new StoreAccessException($"Cannot use container {options.Container}: no account is named; set storage.account.");
        var service = options.Endpoint ?? new Uri($"https://{options.Account}.blob.core.windows.net");
        var address = new Uri($"{service.AbsoluteUri.TrimEnd('/')}/{options.Container}");
        if (options.AccountKey is { } key)
        {
            _ = Convert.FromBase64String(key); // the SDK would find out only at the first request
            var account = options.Account ?? service.Host.Split('.')[0];
            return new BlobContainerClient(address, new StorageSharedKeyCredential(account, key), settings);
        }

        if (options.SasToken is { } sas) return new BlobContainerClient(address, new AzureSasCredential(sas.TrimStart('?')), settings);
        var identity = new DefaultAzureCredential(new DefaultAzureCredentialOptions
        {
            ManagedIdentityClientId = options.ManagedIdentity,
            ExcludeInteractiveBrowserCredential = true,
        });
        return new BlobContainerClient(address, identity, settings);
    }
}
