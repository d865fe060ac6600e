using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>
/// Objects in a bucket of Amazon S3 or a compatible service, below a prefix. What cannot be the name of an object is not the store's and is
/// left alone. The bucket must exist.
/// </summary>
public sealed class S3ObjectStore : IObjectStore, IProbedStore, ILockingStore, IPurgingStore
{
    private readonly S3StoreOptions _options;
    private readonly KeyPrefix _prefix;
    private readonly AmazonS3Client _client;
    private readonly RequestRunner _runner;
    private readonly S3Probe _probe;
    private readonly S3Creator _creator;
    private readonly S3Locks _locks;
    private readonly S3Versions _versions;
    private volatile bool _bucketSeen;

    /// <summary>A store that is reached only when it is used.</summary>
    /// <exception cref="StoreAccessException">There are no credentials, or no region.</exception>
    public S3ObjectStore(S3StoreOptions options, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Bucket);
        _options = options;
        _prefix = new KeyPrefix(options.Prefix);
        _client = S3Clients.Create(options);
        _runner = new RequestRunner(options.Limits, new S3Errors(options.Bucket).Translate, time ?? TimeProvider.System);
        var requests = new S3Requests(options);
        _probe = new S3Probe(_client, options, requests, _runner, _prefix);
        _locks = new S3Locks(_client, options, _runner, time ?? TimeProvider.System);
        _versions = new S3Versions(_client, options, _runner);
        _creator = new S3Creator(_client, options, requests, _runner, _probe, _locks, time ?? TimeProvider.System);
        Description = $"bucket {options.Bucket}"
            + (_prefix.Text.Length > 0 ? $"/{_prefix.Text.TrimEnd('/')}" : "")
            + (options.Endpoint is { } endpoint ? $" at {endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/')}" : "");
    }

    public string Description { get; }

    public RetentionLock? Lock => _options.Lock;

    internal RequestRunner Runner => _runner;

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        cancellationToken.ThrowIfCancellationRequested();
        var created = await _creator.CreateAsync(name, _prefix.KeyOf(name), content, cancellationToken).ConfigureAwait(false);
        _bucketSeen = true;
        return created;
    }

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        var found = await HeadAsync(name, cancellationToken).ConfigureAwait(false);
        return found is null ? null : new ObjectInfo(name, found.ContentLength, WholeSeconds(found.LastModified));
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.IsEmpty || offset > long.MaxValue - destination.Length)
            return await HeadAsync(name, cancellationToken).ConfigureAwait(false) is null ? throw Missing(name) : 0;
        var read = new RangedRead(offset, destination);
        var result = await _runner.RunAsync(
            $"read object {name}", destination.Length, (_, token) => ReadAsync(_prefix.KeyOf(name), read, token), cancellationToken)
            .ConfigureAwait(false);
        _bucketSeen = true;
        return result ?? throw Missing(name);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.CheckPrefix(prefix);
        var last = "";
        for (string? next = null; ;)
        {
            var request = new ListObjectsV2Request
            {
                BucketName = _options.Bucket,
                Prefix = _prefix.Text + prefix,
                ContinuationToken = next,
                MaxKeys = _options.Limits.ListPageSize,
            };
            var page = await _runner.RunAsync(
                $"list objects {prefix}", 0, (_, token) => _client.ListObjectsV2Async(request, token), cancellationToken)
                .ConfigureAwait(false);
            _bucketSeen = true;
            foreach (var found in page.S3Objects ?? [])
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (string.CompareOrdinal(found.Key, last) <= 0) throw Unordered();
                last = found.Key;
                if (_prefix.TryGetName(found.Key, out var name))
                    yield return new ObjectInfo(name, found.Size ?? 0, WholeSeconds(found.LastModified));
            }

            if (page.IsTruncated != true) yield break;
            next = page.NextContinuationToken ?? throw Unordered();
        }
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        // The service does not say whether there was one, and would not say until when it is locked.
        if (await HeadAsync(name, cancellationToken).ConfigureAwait(false) is not { } found) return false;
        try
        {
            if (_locks.Active(found) is { } locked) throw new ObjectLockedException(name, locked.Until);
            await _versions.DeleteAsync(name, _prefix.KeyOf(name), found.VersionId, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectLockedException) when (Lock?.Covers(name) != true)
        {
            await _versions.HideAsync(name, _prefix.KeyOf(name), cancellationToken).ConfigureAwait(false); // not our lock, but the bucket's
        }

        return true;
    }

    public async ValueTask<string?> PurgeAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        await DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        return await _versions.PurgeAsync(name, _prefix.KeyOf(name), cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<ObjectLock?> FindLockAsync(string name, CancellationToken cancellationToken) =>
        _locks.FindAsync(ObjectName.Check(name), _prefix.KeyOf(name), cancellationToken);

    public ValueTask<DateTimeOffset> ExtendLockAsync(string name, DateTimeOffset until, CancellationToken cancellationToken) =>
        _locks.ExtendAsync(ObjectName.Check(name), _prefix.KeyOf(name), until, cancellationToken);

    public async ValueTask<bool> HideAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        if (await HeadAsync(name, cancellationToken).ConfigureAwait(false) is null) return false;
        await _versions.HideAsync(name, _prefix.KeyOf(name), cancellationToken).ConfigureAwait(false);
        return true;
    }

    public async ValueTask<IReadOnlyList<ProbeFinding>> ProbeAsync(CancellationToken cancellationToken)
    {
        var put = await _probe.PutIsConditionalAsync(cancellationToken).ConfigureAwait(false);
        var multipart = put && await _probe.MultipartIsConditionalAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            put ? new ProbeFinding("If-None-Match on put", true, "honoured")
                : new ProbeFinding("If-None-Match on put", _options.ConditionalCreate == S3ConditionalCreate.SingleWriter,
                    "ignored by this server: only one process may ever write here (storage.conditional_create: single_writer)"),
            new ProbeFinding("If-None-Match on multipart", true,
                multipart ? "honoured: large objects go in parts" : "not honoured: large objects go in one request each"),
            .. await new S3LockProbe(_client, _options, _runner).RunAsync(cancellationToken).ConfigureAwait(false),
        ];
    }

    public async ValueTask RemoveProbeAsync(CancellationToken cancellationToken)
    {
        // With versions a plain delete would put a marker there.
        if (!await _versions.TryRemoveAllAsync(_probe.Key, cancellationToken).ConfigureAwait(false))
            await _probe.RemoveAsync(cancellationToken).ConfigureAwait(false);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _runner.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>One attempt; what an attempt before it got stays. Null: there is no such object.</summary>
    private async Task<int?> ReadAsync(string key, RangedRead read, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest
        {
            BucketName = _options.Bucket, Key = key, ByteRange = new ByteRange(read.Next, read.Last), EtagToMatch = read.Tag,
        };
        try
        {
            using var response = await _client.GetObjectAsync(request, cancellationToken).ConfigureAwait(false);
            // A server may ignore the range, which must not be taken for the bytes at the offset.
            if (read.Next > 0 && response.HttpStatusCode != HttpStatusCode.PartialContent)
                throw new StoreException($"The service at bucket {_options.Bucket} ignores ranges of reads; use one that does not.");
            return await read.FillAsync(response.ResponseStream, response.ContentLength, response.ETag, cancellationToken)
                .ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return read.Filled;
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            return null;
        }
        catch (AmazonS3Exception e) when (S3Errors.IsPreconditionFailed(e))
        {
            read.Restart(); // deleted and created anew between two attempts: begin again
            throw new IOException("The object changed while it was read.", e);
        }
    }

    private async ValueTask<GetObjectMetadataResponse?> HeadAsync(string name, CancellationToken cancellationToken)
    {
        var found = await _runner.RunAsync(
            $"look at object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    return await _client.GetObjectMetadataAsync(_options.Bucket, _prefix.KeyOf(name), token).ConfigureAwait(false);
                }
                catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
                {
                    return null;
                }
            },
            cancellationToken).ConfigureAwait(false);
        if (found is null && !_bucketSeen) await SeeBucketAsync(cancellationToken).ConfigureAwait(false);
        _bucketSeen = true;
        return found;
    }

    /// <summary>The answer to a HEAD has no body, so a missing bucket looks like a missing object.</summary>
    private async ValueTask SeeBucketAsync(CancellationToken cancellationToken) => await _runner.RunAsync(
        "look", 0,
        (_, token) => _client.ListObjectsV2Async(
            new ListObjectsV2Request { BucketName = _options.Bucket, Prefix = _prefix.Text, MaxKeys = 1 }, token),
        cancellationToken).ConfigureAwait(false);

    private StoreException Unordered() => new(
        $"The service at bucket {_options.Bucket} lists objects out of order; use a bucket of an ordinary kind (no directory bucket).");

    private ObjectNotFoundException Missing(string name) => new(name, Description);

    private static DateTimeOffset WholeSeconds(DateTime? time) => time is { } known
        ? DateTimeOffset.FromUnixTimeSeconds(new DateTimeOffset(known.ToUniversalTime()).ToUnixTimeSeconds())
        : DateTimeOffset.UnixEpoch;
}
