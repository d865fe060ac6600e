using System.Net;
using System.Runtime.CompilerServices;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Buckets;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>A bucket whose objects are protected, or restored to.</summary>
public sealed class S3Bucket : IBucket
{
    private const string MetadataPrefix = "x-amz-meta-";

    private readonly S3StoreOptions _options;
    private readonly BucketPrefix _prefix;
    private readonly AmazonS3Client _client;
    private readonly RequestRunner _runner;

    /// <summary>A bucket that is reached only when it is used.</summary>
    /// <exception cref="StoreAccessException">There are no credentials, or no region.</exception>
    public S3Bucket(S3StoreOptions options, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Bucket);
        _options = options;
        _prefix = new BucketPrefix(options.Prefix);
        _client = S3Clients.Create(options);
        _runner = new RequestRunner(options.Limits, new S3Errors(options.Bucket).Translate, time ?? TimeProvider.System);
        Description = $"bucket {options.Bucket}"
            + (_prefix.Text.Length > 0 ? $"/{_prefix.Text.TrimEnd('/')}" : "")
            + (options.Endpoint is { } endpoint ? $" at {endpoint.GetLeftPart(UriPartial.Path).TrimEnd('/')}" : "");
    }

    public string Description { get; }

    public async IAsyncEnumerable<BucketItem> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (string? next = null; ;)
        {
            var request = new ListObjectsV2Request
            {
                BucketName = _options.Bucket,
                Prefix = _prefix.Text,
                ContinuationToken = next,
                MaxKeys = _options.Limits.ListPageSize,
                Encoding = EncodingType.Url, // keys may hold what XML cannot
            };
            var page = await _runner.RunAsync("list objects", 0, (_, token) => _client.ListObjectsV2Async(request, token), cancellationToken)
                .ConfigureAwait(false);
            foreach (var found in page.S3Objects ?? [])
            {
                cancellationToken.ThrowIfCancellationRequested();
                var key = WebUtility.UrlDecode(found.Key);
                if (!key.StartsWith(_prefix.Text, StringComparison.Ordinal)) throw new StoreException($"The service at {Description} lists what is not below the prefix.");
                yield return new BucketItem(_prefix.RestOf(key), found.Size ?? 0, Time(found.LastModified), found.ETag ?? "");
            }

            if (page.IsTruncated != true) yield break;
            next = page.NextContinuationToken ?? throw new StoreException($"The service at {Description} breaks its listing off.");
        }
    }

    public async ValueTask<BucketItem?> FindAsync(string key, CancellationToken cancellationToken) =>
        await HeadAsync(key, cancellationToken).ConfigureAwait(false) is { } found
            ? new BucketItem(key, found.ContentLength, Time(found.LastModified), found.ETag ?? "")
            : null;

    public async ValueTask<(int Read, BucketProperties Properties)> ReadAsync(
        BucketItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (item.Size == 0)
        {
            var found = await HeadAsync(item.Key, cancellationToken).ConfigureAwait(false) ?? throw new ObjectNotFoundException(item.Key, Description);
            return found.ContentLength == 0 ? (0, Properties(found.Headers, found.Metadata)) : throw new ObjectChangedException(item.Key, Description);
        }

        var wanted = destination[..(int)Math.Min(destination.Length, item.Size - offset)];
        var read = new RangedRead(offset, wanted);
        return await _runner.RunAsync($"read object {item.Key}", wanted.Length, (_, token) => ReadAsync(item, read, token), cancellationToken)
            .ConfigureAwait(false);
    }

    public async ValueTask PutAsync(string key, BucketProperties properties, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await _runner.RunAsync(
            $"write object {key}", content.Length,
            (_, token) =>
            {
                var request = new PutObjectRequest
                {
                    BucketName = _options.Bucket,
                    Key = _prefix.KeyOf(key),
                    InputStream = new ContentStream(content),
                    UseChunkEncoding = false,
                    ChecksumCRC32C = Crc32C.Base64(content.Span),
                    StorageClass = _options.StorageClass is { } storageClass ? new S3StorageClass(storageClass) : null,
                };
                Apply(properties, request.Headers, request.Metadata);
                return _client.PutObjectAsync(request, token);
            },
            cancellationToken).ConfigureAwait(false);

    public async ValueTask<IBucketUpload> BeginAsync(string key, BucketProperties properties, CancellationToken cancellationToken)
    {
        var request = new InitiateMultipartUploadRequest
        {
            BucketName = _options.Bucket,
            Key = _prefix.KeyOf(key),
            ChecksumAlgorithm = ChecksumAlgorithm.CRC32C,
            StorageClass = _options.StorageClass is { } storageClass ? new S3StorageClass(storageClass) : null,
        };
        Apply(properties, request.Headers, request.Metadata);
        var begun = await _runner.RunAsync(
            $"write object {key}", 0, (_, token) => _client.InitiateMultipartUploadAsync(request, token), cancellationToken).ConfigureAwait(false);
        return new Upload(this, key, begun.UploadId);
    }

    public ValueTask DisposeAsync()
    {
        _client.Dispose();
        _runner.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(int, BucketProperties)> ReadAsync(BucketItem item, RangedRead read, CancellationToken cancellationToken)
    {
        var request = new GetObjectRequest
        {
            BucketName = _options.Bucket, Key = _prefix.KeyOf(item.Key), ByteRange = new ByteRange(read.Next, read.Last), EtagToMatch = item.Tag,
        };
        try
        {
            using var response = await _client.GetObjectAsync(request, cancellationToken).ConfigureAwait(false);
            // A server may ignore the range, or the condition, which must not be taken for the bytes that were asked for.
            if (read.Next > 0 && response.HttpStatusCode != HttpStatusCode.PartialContent)
                throw new StoreException($"The service at {Description} ignores ranges of reads; use one that does not.");
            if (response.ETag != item.Tag) throw new ObjectChangedException(item.Key, Description);
            var filled = await read.FillAsync(response.ResponseStream, response.ContentLength, response.ETag, cancellationToken).ConfigureAwait(false);
            return (filled, Properties(response.Headers, response.Metadata));
        }
        catch (AmazonS3Exception e) when (S3Errors.IsMissing(e))
        {
            throw new ObjectNotFoundException(item.Key, Description);
        }
        catch (AmazonS3Exception e) when (S3Errors.IsPreconditionFailed(e) || e.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            throw new ObjectChangedException(item.Key, Description);
        }
    }

    private async ValueTask<GetObjectMetadataResponse?> HeadAsync(string key, CancellationToken cancellationToken) => await _runner.RunAsync(
        $"look at object {key}", 0,
        async (_, token) =>
        {
            try
            {
                return await _client.GetObjectMetadataAsync(_options.Bucket, _prefix.KeyOf(key), token).ConfigureAwait(false);
            }
            catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }
        },
        cancellationToken).ConfigureAwait(false);

    private static BucketProperties Properties(HeadersCollection headers, MetadataCollection metadata)
    {
        var noted = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var name in metadata.Keys)
            noted[name.StartsWith(MetadataPrefix, StringComparison.OrdinalIgnoreCase) ? name[MetadataPrefix.Length..] : name] = metadata[name] ?? "";
        return new BucketProperties
        {
            ContentType = Text(headers.ContentType),
            ContentEncoding = Text(headers.ContentEncoding),
            ContentLanguage = Text(headers["Content-Language"]),
            ContentDisposition = Text(headers.ContentDisposition),
            CacheControl = Text(headers.CacheControl),
            Metadata = noted,
        };
    }

    private static void Apply(BucketProperties properties, HeadersCollection headers, MetadataCollection metadata)
    {
        headers.ContentType = properties.ContentType ?? "application/octet-stream";
        if (properties.ContentEncoding is { } encoding) headers.ContentEncoding = encoding;
        if (properties.ContentLanguage is { } language) headers["Content-Language"] = language;
        if (properties.ContentDisposition is { } disposition) headers.ContentDisposition = disposition;
        if (properties.CacheControl is { } cache) headers.CacheControl = cache;
        foreach (var (name, value) in properties.Metadata) metadata[name] = value;
    }

    private static string? Text(string? header) => string.IsNullOrEmpty(header) ? null : header;

    private static DateTimeOffset Time(DateTime? time) => time is { } known ? new DateTimeOffset(known.ToUniversalTime()) : DateTimeOffset.UnixEpoch;

    private sealed class Upload(S3Bucket bucket, string key, string id) : IBucketUpload
    {
        private static readonly TimeSpan AbortLimit = TimeSpan.FromSeconds(10);

        private readonly List<PartETag> _parts = [];
        private bool _completed;

        public async ValueTask AddAsync(ReadOnlyMemory<byte> part, CancellationToken cancellationToken)
        {
            var number = _parts.Count + 1;
            var response = await bucket._runner.RunAsync(
                $"write object {key}", part.Length,
                (_, token) => bucket._client.UploadPartAsync(
                    new UploadPartRequest
                    {
                        BucketName = bucket._options.Bucket,
                        Key = bucket._prefix.KeyOf(key),
                        UploadId = id,
                        PartNumber = number,
                        PartSize = part.Length,
                        InputStream = new ContentStream(part),
                        UseChunkEncoding = false,
                        ChecksumCRC32C = Crc32C.Base64(part.Span),
                    },
                    token),
                cancellationToken).ConfigureAwait(false);
            _parts.Add(new PartETag(response));
        }

        public async ValueTask CompleteAsync(CancellationToken cancellationToken)
        {
            await bucket._runner.RunAsync(
                $"write object {key}", 0,
                async (attempt, token) =>
                {
                    try
                    {
                        await bucket._client.CompleteMultipartUploadAsync(
                            new CompleteMultipartUploadRequest
                            {
                                BucketName = bucket._options.Bucket, Key = bucket._prefix.KeyOf(key), UploadId = id, PartETags = _parts,
                            },
                            token).ConfigureAwait(false);
                    }
                    catch (AmazonS3Exception e) when (e.ErrorCode == "NoSuchUpload" && attempt > 0)
                    {
                        return true; // an attempt whose answer was lost has completed it
                    }

                    return true;
                },
                cancellationToken).ConfigureAwait(false);
            _completed = true;
        }

        /// <summary>Parts that nobody will complete cost money.</summary>
        public async ValueTask DisposeAsync()
        {
            if (_completed) return;
            using var limit = new CancellationTokenSource(AbortLimit);
            try
            {
                await bucket._client.AbortMultipartUploadAsync(bucket._options.Bucket, bucket._prefix.KeyOf(key), id, limit.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is Amazon.Runtime.AmazonClientException or Amazon.Runtime.AmazonServiceException or HttpRequestException or IOException
                or OperationCanceledException)
            {
                // The write has failed already, and says why; a lifecycle rule of the bucket removes the parts.
            }
        }
    }
}
