using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>
/// Finds out, once per process and before the first write relies on it, whether the server honours <c>If-None-Match: *</c>: on a plain put,
/// and on the completion of a multipart upload, which some servers ignore though they honour the first.
/// </summary>
/// <remarks>
/// The put probe writes an object whose key no object of the store can have, always the same few bytes. It is there after the first time,
/// so the probe is one request: 412, as it should be. A success means that it was not there, or that the server does not care: further
/// requests tell (more than one, since a validation may remove the object in between).
/// </remarks>
internal sealed class S3Probe(IAmazonS3 client, S3StoreOptions options, S3Requests requests, RequestRunner runner, KeyPrefix prefix)
{
    private const int Tries = 4;
    private static readonly byte[] Content = "This object lets fbackup try whether the store honours If-None-Match.\n"u8.ToArray();

    private readonly Lock _gate = new();
    private Task<bool>? _put, _multipart;

    public string Key => prefix.ProbeKey("probe");

    /// <summary>Whether a put honours it.</summary>
    public Task<bool> PutIsConditionalAsync(CancellationToken cancellationToken) => Once(ref _put, TryPutAsync).WaitAsync(cancellationToken);

    /// <summary>Whether the completion of a multipart upload honours it. Call after the put was found to.</summary>
    public Task<bool> MultipartIsConditionalAsync(CancellationToken cancellationToken) =>
        Once(ref _multipart, TryMultipartAsync).WaitAsync(cancellationToken);

    /// <summary>Removes the probe object.</summary>
    public async ValueTask RemoveAsync(CancellationToken cancellationToken) => await runner.RunAsync(
        "remove the probe object", 0,
        (_, token) => client.DeleteObjectAsync(new DeleteObjectRequest { BucketName = options.Bucket, Key = Key }, token),
        cancellationToken).ConfigureAwait(false);

    /// <summary>Shared by all who wait for it: one caller's cancellation must not fail the others. A failure is not remembered.</summary>
    private Task<bool> Once(ref Task<bool>? known, Func<Task<bool>> probe)
    {
        lock (_gate)
        {
            if (known is null or { IsFaulted: true } or { IsCanceled: true }) known = Task.Run(probe);
            return known;
        }
    }

    private async Task<bool> TryPutAsync()
    {
        for (var i = 0; i < Tries; i++)
            if (await PutAsync().ConfigureAwait(false)) return true;
        return false;
    }

    /// <summary>True: refused, as it should be.</summary>
    private async ValueTask<bool> PutAsync() => await runner.RunAsync(
        "try a conditional create", Content.Length,
        async (_, token) =>
        {
            try
            {
                await client.PutObjectAsync(requests.Put(Key, Content, "probe", conditional: true), token).ConfigureAwait(false);
                return false;
            }
            catch (AmazonS3Exception e) when (S3Errors.IsPreconditionFailed(e))
            {
                return true;
            }
        },
        CancellationToken.None).ConfigureAwait(false);

    private async Task<bool> TryMultipartAsync()
    {
        await PutIsConditionalAsync(CancellationToken.None).ConfigureAwait(false); // the probe object is there
        return await runner.RunAsync(
            "try a conditional multipart upload", Content.Length,
            async (_, token) =>
            {
                var begun = await client.InitiateMultipartUploadAsync(requests.Initiate(Key, "probe"), token).ConfigureAwait(false);
                try
                {
                    var part = await client.UploadPartAsync(requests.Part(Key, begun.UploadId, 1, Content), token).ConfigureAwait(false);
                    await client.CompleteMultipartUploadAsync(
                        requests.Complete(Key, begun.UploadId, [new PartETag(part)]), token).ConfigureAwait(false);
                    return false; // overwritten, with the same bytes
                }
                catch (AmazonS3Exception e) when (S3Errors.IsPreconditionFailed(e))
                {
                    await client.AbortMultipartUploadAsync(options.Bucket, Key, begun.UploadId, token).ConfigureAwait(false);
                    return true;
                }
            },
            CancellationToken.None).ConfigureAwait(false);
    }
}
