using Amazon.S3;
using Azure.Storage.Blobs;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.Remote;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>Stores in new buckets and containers.</summary>
internal static class Stores
{
    /// <summary>Parts and pages small enough for tests to have many; waits short enough to have many faults.</summary>
    public static RemoteLimits Limits { get; } = new()
    {
        SinglePutLimit = 8 << 20,
        PartSize = 5 << 20,
        ListPageSize = 300,
        FirstDelay = TimeSpan.FromMilliseconds(1),
        LongestDelay = TimeSpan.FromMilliseconds(20),
        RequestTimeout = TimeSpan.FromSeconds(30),
    };

    public static string NewName() => $"test-{Guid.NewGuid():N}"[..24];

    public static async Task<S3StoreOptions> NewBucketAsync(string? prefix = null)
    {
        var server = await TestServers.RgwAsync();
        var bucket = NewName();
        using var client = S3Client(server.Endpoint);
        await client.PutBucketAsync(bucket);
        return new S3StoreOptions(bucket)
        {
            Endpoint = server.Endpoint,
            Prefix = prefix,
            Credentials = new S3Credentials(RgwServer.AccessKey, RgwServer.SecretKey, null),
            Limits = Limits,
        };
    }

    public static async Task<AzureBlobStoreOptions> NewContainerAsync(string? prefix = null)
    {
        var server = await TestServers.AzuriteAsync();
        var container = NewName();
        await new BlobContainerClient(server.ConnectionString, container).CreateAsync();
        return new AzureBlobStoreOptions(container) { ConnectionString = server.ConnectionString, Prefix = prefix, Limits = Limits };
    }

    public static AmazonS3Client S3Client(Uri endpoint) => new(
        RgwServer.AccessKey, RgwServer.SecretKey,
        new AmazonS3Config { ServiceURL = endpoint.AbsoluteUri, ForcePathStyle = true, AuthenticationRegion = "us-east-1" });
}
