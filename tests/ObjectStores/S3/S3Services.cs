using System.Net;
using Amazon.S3;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.S3;

/// <summary>Makes the gateway behave as other services do.</summary>
internal static class S3Services
{
    /// <summary>As Amazon's: If-None-Match counts on the completion of a multipart upload too.</summary>
    public static Func<ProxiedRequest, Task<int?>> HonourOnCompletion(IAmazonS3 client, string bucket) => async request =>
        request.Method == "POST" && await ExistsAsync(client, bucket, KeyOf(request)) ? (int)HttpStatusCode.PreconditionFailed : null;

    /// <summary>
    /// As Amazon's, where the bucket keeps versions: If-None-Match counts there too. This gateway ignores it in such buckets.
    /// </summary>
    public static Func<ProxiedRequest, Task<int?>> HonourWithVersions(IAmazonS3 client, string bucket) => async request =>
        request.Method is "PUT" or "POST" && await ExistsAsync(client, bucket, KeyOf(request)) ? (int)HttpStatusCode.PreconditionFailed : null;

    /// <summary>As older services: a put overwrites whatever its condition says. (To leave the header out would break the signature.)</summary>
    public static Func<ProxiedRequest, CancellationToken, Task> Ignore(IAmazonS3 client, string bucket) => async (request, _) =>
    {
        if (request.Method == "PUT" && request.Headers.ContainsKey("If-None-Match"))
            await client.DeleteObjectAsync(bucket, KeyOf(request), CancellationToken.None);
    };

    /// <summary>Of <c>/bucket/key?query</c>.</summary>
    private static string KeyOf(ProxiedRequest request) => Uri.UnescapeDataString(request.Target.Split('?')[0].Split('/', 3)[2]);

    private static async Task<bool> ExistsAsync(IAmazonS3 client, string bucket, string key)
    {
        try
        {
            await client.GetObjectMetadataAsync(bucket, key);
            return true;
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
        {
            return false;
        }
    }
}
