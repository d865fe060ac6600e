using Amazon;
using Amazon.Runtime;
using Amazon.S3;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>Makes the SDK's client: our own handler, no repetitions of its own, credentials as configured or by the SDK's chain.</summary>
internal static class S3Clients
{
    /// <exception cref="StoreAccessException">There are no credentials, or no region.</exception>
    public static AmazonS3Client Create(S3StoreOptions options)
    {
        var config = new AmazonS3Config
        {
            HttpClientFactory = new Handlers(options.Limits),
            MaxStaleConnectionRetries = 0,
            MaxErrorRetry = 0, // ours have deadlines, jitter and know what an unknown outcome means
            Timeout = Timeout.InfiniteTimeSpan,
            ForcePathStyle = options.PathStyle ?? options.Endpoint is not null,
            // Trailing checksums are not understood everywhere; content is covered by the signature and a checksum of our own.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (options.Endpoint is { } endpoint)
        {
            config.ServiceURL = endpoint.AbsoluteUri;
            config.AuthenticationRegion = options.Region ?? "us-east-1";
        }
        else if (options.Region is { } region)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(region);
        }

        if (options.Profile is { } profile) config.Profile = new Profile(profile);
        try
        {
            return options.Credentials is { } keys ? new AmazonS3Client(Static(keys), config) : new AmazonS3Client(config);
        }
        catch (AmazonClientException e)
        {
            throw new StoreAccessException(
                $"Cannot use bucket {options.Bucket}: {HttpFaults.FirstLine(e)}; set storage.region, and storage.access_key and "
                + "storage.secret_key, a profile, or a role of this machine.",
                e);
        }
    }

    private static AWSCredentials Static(S3Credentials keys) => keys.SessionToken is { } token
        ? new SessionAWSCredentials(keys.AccessKey, keys.SecretKey, token)
        : new BasicAWSCredentials(keys.AccessKey, keys.SecretKey);

    private sealed class Handlers(RemoteLimits limits) : HttpClientFactory
    {
        public override HttpClient CreateHttpClient(IClientConfig clientConfig) =>
            new(HttpHandlers.Create(limits)) { Timeout = Timeout.InfiniteTimeSpan };

        public override bool UseSDKHttpClientCaching(IClientConfig clientConfig) => true;

        public override bool DisposeHttpClientsAfterUse(IClientConfig clientConfig) => false;

        // One client for each store: its connections are bounded by its own configuration.
        public override string GetConfigUniqueString(IClientConfig clientConfig) => _unique;

        private readonly string _unique = Guid.NewGuid().ToString("N");
    }
}
