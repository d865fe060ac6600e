using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>
/// Creates objects exactly once. Each create carries a random mark in the object's metadata; when a name turns out to be taken, the mark
/// tells whether an earlier attempt of the same create took it (its answer was lost, or it was delivered twice) or somebody else did.
/// </summary>
internal sealed class S3Creator(
    IAmazonS3 client, S3StoreOptions options, S3Requests requests, RequestRunner runner, S3Probe probe, S3Locks locks,
    TimeProvider time)
{
    private const int Rounds = 4;
    private static readonly TimeSpan AbortLimit = TimeSpan.FromSeconds(10);

    private readonly KeyedLocks _writers = new();

    /// <summary>True: created by this call, and locked if it is to be. False: there was one already.</summary>
    public async ValueTask<bool> CreateAsync(string name, string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var upload = new Upload(name, key, content, Guid.NewGuid().ToString("N"), locks.Of(name));
        var conditional = await probe.PutIsConditionalAsync(cancellationToken).ConfigureAwait(false);
        var inParts = conditional && content.Length > options.Limits.SinglePutLimit
            && await probe.MultipartIsConditionalAsync(cancellationToken).ConfigureAwait(false);
        var created = conditional
            ? await CreateAsync(upload, inParts, cancellationToken).ConfigureAwait(false)
            : await CreateAloneAsync(upload, cancellationToken).ConfigureAwait(false);
        if (created && upload.Lock is { } wanted)
            await locks.ConfirmAsync(name, key, wanted, inParts, cancellationToken).ConfigureAwait(false);
        return created;
    }

    private async ValueTask<bool> CreateAsync(Upload upload, bool inParts, CancellationToken cancellationToken)
    {
        for (var round = 1; ; round++)
        {
            var created = inParts
                ? await MultipartAsync(upload, cancellationToken).ConfigureAwait(false)
                : await PutAsync(upload, conditional: true, cancellationToken).ConfigureAwait(false);
            if (created) return true;
            switch (await FindWriterAsync(upload, cancellationToken).ConfigureAwait(false))
            {
                case { } owner:
                    return owner == upload.Writer;
                case null when round == Rounds:
                    throw new StoreException(
                        $"Cannot create object {upload.Name} in bucket {options.Bucket}: the service says that it exists and that it does not; "
                        + "keep other programs from deleting objects, and try again.",
                        transient: true);
            }
        }
    }

    /// <summary>
    /// For servers that ignore the condition, where one process writes: look, write, look again who has written. Nobody else in this
    /// process uses the name meanwhile; another process that breaks the promise is noticed, if it comes before our last look.
    /// </summary>
    private async ValueTask<bool> CreateAloneAsync(Upload upload, CancellationToken cancellationToken)
    {
        if (options.ConditionalCreate != S3ConditionalCreate.SingleWriter)
            throw new StoreException(
                $"Cannot create object {upload.Name} in bucket {options.Bucket}: this server ignores If-None-Match, so that two writers could "
                + "overwrite each other's data; use a server that honours it, or, if one process alone ever writes here, set "
                + "storage.conditional_create: single_writer.");
        using var _ = await _writers.EnterAsync(upload.Key, cancellationToken).ConfigureAwait(false);
        if (await FindWriterAsync(upload, cancellationToken).ConfigureAwait(false) is not null) return false;
        await PutAsync(upload, conditional: false, cancellationToken).ConfigureAwait(false);
        return await FindWriterAsync(upload, cancellationToken).ConfigureAwait(false) == upload.Writer
            ? true
            : throw new StoreException(
                $"Object {upload.Name} in bucket {options.Bucket} was written by another process at the same time, although "
                + "storage.conditional_create is single_writer; stop the other process and verify the repository.");
    }

    private async ValueTask<bool> PutAsync(Upload upload, bool conditional, CancellationToken cancellationToken) =>
        await runner.RunAsync(
            $"create object {upload.Name}", upload.Content.Length,
            async (_, token) =>
            {
                try
                {
                    var put = requests.Put(upload.Key, upload.Content, upload.Writer, conditional, upload.Lock);
                    await client.PutObjectAsync(put, token).ConfigureAwait(false);
                    return true;
                }
                catch (AmazonS3Exception e) when (upload.Lock is not null && S3Errors.IsWithoutLocks(e))
                {
                    throw S3Locks.NotToBeHad(upload.Name, options.Bucket, e);
                }
                catch (AmazonS3Exception e) when (S3Errors.IsPreconditionFailed(e))
                {
                    return false;
                }
            },
            cancellationToken).ConfigureAwait(false);

    private async ValueTask<bool> MultipartAsync(Upload upload, CancellationToken cancellationToken)
    {
        var (name, key, content, writer, wanted) = upload;
        var deed = $"create object {name}";
        var begun = await runner.RunAsync(
            deed, 0, (_, token) => client.InitiateMultipartUploadAsync(requests.Initiate(key, writer, wanted), token), cancellationToken)
            .ConfigureAwait(false);
        var finished = false;
        try
        {
            var size = options.Limits.PartSize;
            var parts = new PartETag[(content.Length + size - 1) / size];
            await Parallel.ForEachAsync(
                Enumerable.Range(0, parts.Length),
                new ParallelOptions { MaxDegreeOfParallelism = options.Limits.PartsAtOnce, CancellationToken = cancellationToken },
                async (i, token) =>
                {
                    var part = content.Slice(i * size, Math.Min(size, content.Length - (i * size)));
                    parts[i] = new PartETag(await runner.RunAsync(
                        deed, part.Length, (_, t) => client.UploadPartAsync(requests.Part(key, begun.UploadId, i + 1, part), t), token)
                        .ConfigureAwait(false));
                }).ConfigureAwait(false);
            var created = await runner.RunAsync(
                deed, 0,
                async (attempt, token) =>
                {
                    try
                    {
                        await client.CompleteMultipartUploadAsync(requests.Complete(key, begun.UploadId, parts), token)
                            .ConfigureAwait(false);
                        return (bool?)true;
                    }
                    catch (AmazonS3Exception e) when (S3Errors.IsPreconditionFailed(e))
                    {
                        return false;
                    }
                    catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload" && attempt > 0)
                    {
                        return null; // an earlier attempt has completed it, or somebody has aborted it: the object's mark tells
                    }
                },
                cancellationToken).ConfigureAwait(false);
            finished = created != false;
            return created == true;
        }
        finally
        {
            if (!finished) await AbortAsync(key, begun.UploadId).ConfigureAwait(false);
        }
    }

    /// <summary>Parts that nobody will complete cost money; a bucket's lifecycle rule removes those of writers that died.</summary>
    private async ValueTask AbortAsync(string key, string uploadId)
    {
        using var limit = new CancellationTokenSource(AbortLimit, time); // also after a cancellation, but not for long
        try
        {
            await client.AbortMultipartUploadAsync(options.Bucket, key, uploadId, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AmazonClientException or AmazonServiceException or HttpRequestException or IOException
            or OperationCanceledException)
        {
            // The create has failed already, and says why; what is left is not visible as an object.
        }
    }

    /// <summary>The mark of whoever created the object, empty if it has none; null: there is no object.</summary>
    private async ValueTask<string?> FindWriterAsync(Upload upload, CancellationToken cancellationToken) => await runner.RunAsync(
        $"look at object {upload.Name}", 0,
        async (_, token) =>
        {
            try
            {
                var found = await client.GetObjectMetadataAsync(options.Bucket, upload.Key, token).ConfigureAwait(false);
                return found.Metadata[S3Requests.WriterKey] ?? "";
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }
        },
        cancellationToken).ConfigureAwait(false);

    /// <summary>What is to be created.</summary>
    private readonly record struct Upload(string Name, string Key, ReadOnlyMemory<byte> Content, string Writer, ObjectLock? Lock);
}
