using System.Net;
using System.Runtime.CompilerServices;
using System.Text;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using FunctionsBackup.Storage.Buckets;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>A container whose blobs are protected, or restored to.</summary>
public sealed class AzureBlobBucket : IBucket
{
    private readonly AzureBlobStoreOptions _options;
    private readonly BucketPrefix _prefix;
    private readonly BlobContainerClient _container;
    private readonly HttpClient _http;
    private readonly RequestRunner _runner;

    /// <summary>A container that is reached only when it is used.</summary>
    /// <exception cref="StoreAccessException">What is configured is no address or no credential.</exception>
    public AzureBlobBucket(AzureBlobStoreOptions options, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Container);
        _options = options;
        _prefix = new BucketPrefix(options.Prefix);
        (_container, _http) = AzureBlobClients.Create(options);
        _runner = new RequestRunner(options.Limits, new AzureBlobErrors(options.Container).Translate, time ?? TimeProvider.System);
        Description = $"container {_container.Uri.GetLeftPart(UriPartial.Path).TrimEnd('/')}"
            + (_prefix.Text.Length > 0 ? $"/{_prefix.Text.TrimEnd('/')}" : "");
    }

    public string Description { get; }

    public async IAsyncEnumerable<BucketItem> ListAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var options = new GetBlobsOptions { Prefix = _prefix.Text };
        for (string? next = null; ;)
        {
            var page = await _runner.RunAsync("list objects", 0, (_, token) => ReadPageAsync(options, next, token), cancellationToken)
                .ConfigureAwait(false);
            foreach (var found in page.Values)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return new BucketItem(
                    _prefix.RestOf(found.Name), found.Properties.ContentLength ?? 0, found.Properties.LastModified ?? DateTimeOffset.UnixEpoch,
                    found.Properties.ETag?.ToString("H") ?? "");
            }

            if (string.IsNullOrEmpty(page.ContinuationToken)) yield break;
            next = page.ContinuationToken;
        }
    }

    public async ValueTask<BucketItem?> FindAsync(string key, CancellationToken cancellationToken) =>
        await HeadAsync(key, cancellationToken).ConfigureAwait(false) is { } found
            ? new BucketItem(key, found.ContentLength, found.LastModified, found.ETag.ToString("H"))
            : null;

    public async ValueTask<(int Read, BucketProperties Properties)> ReadAsync(
        BucketItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        if (item.Size == 0)
        {
            var found = await HeadAsync(item.Key, cancellationToken).ConfigureAwait(false) ?? throw new ObjectNotFoundException(item.Key, Description);
            if (found.ContentLength != 0) throw new ObjectChangedException(item.Key, Description);
            return (0, Properties(
                found.ContentType, found.ContentEncoding, found.ContentLanguage, found.ContentDisposition, found.CacheControl, found.Metadata));
        }

        var wanted = destination[..(int)Math.Min(destination.Length, item.Size - offset)];
        var read = new RangedRead(offset, wanted);
        try
        {
            return await _runner.RunAsync($"read object {item.Key}", wanted.Length, (_, token) => ReadAsync(item, read, token), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (ObjectChangedException)
        {
            // A blob that has gone does not meet the condition either.
            if (await HeadAsync(item.Key, cancellationToken).ConfigureAwait(false) is null) throw new ObjectNotFoundException(item.Key, Description);
            throw;
        }
    }

    public async ValueTask PutAsync(string key, BucketProperties properties, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var blob = _container.GetBlockBlobClient(_prefix.KeyOf(key));
        await _runner.RunAsync(
            $"write object {key}", content.Length,
            (_, token) => blob.UploadAsync(
                new ContentStream(content),
                new BlobUploadOptions
                {
                    HttpHeaders = Headers(properties),
                    Metadata = Metadata(properties),
                    TransferOptions = new() { InitialTransferSize = int.MaxValue, MaximumTransferSize = int.MaxValue },
                },
                token),
            cancellationToken).ConfigureAwait(false);
    }

    public ValueTask<IBucketUpload> BeginAsync(string key, BucketProperties properties, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IBucketUpload>(new Upload(this, key, properties));

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        _runner.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task<(int, BucketProperties)> ReadAsync(BucketItem item, RangedRead read, CancellationToken cancellationToken)
    {
        var options = new BlobDownloadOptions
        {
            Range = new HttpRange(read.Next, read.Last - read.Next + 1), Conditions = new BlobRequestConditions { IfMatch = new ETag(item.Tag) },
        };
        try
        {
            var response = await _container.GetBlobClient(_prefix.KeyOf(item.Key)).DownloadStreamingAsync(options, cancellationToken).ConfigureAwait(false);
            using var body = response.Value;
            if (read.Next > 0 && response.GetRawResponse().Status != (int)HttpStatusCode.PartialContent)
                throw new StoreException("The blob service ignores ranges of reads; use one that does not.");
            if (body.Details.ETag != new ETag(item.Tag)) throw new ObjectChangedException(item.Key, Description);
            var filled = await read.FillAsync(body.Content, body.Details.ContentLength, item.Tag, cancellationToken).ConfigureAwait(false);
            var details = body.Details;
            return (filled, Properties(
                details.ContentType, details.ContentEncoding, details.ContentLanguage, details.ContentDisposition, details.CacheControl, details.Metadata));
        }
        catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
        {
            throw new ObjectNotFoundException(item.Key, Description);
        }
        catch (RequestFailedException e) when (e.Status is (int)HttpStatusCode.PreconditionFailed or (int)HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            throw new ObjectChangedException(item.Key, Description);
        }
    }

    private async Task<Page<BlobItem>> ReadPageAsync(GetBlobsOptions options, string? next, CancellationToken cancellationToken)
    {
        await foreach (var page in _container.GetBlobsAsync(options, cancellationToken).AsPages(next, _options.Limits.ListPageSize).ConfigureAwait(false))
            return page;
        throw new IOException("The listing has no page.");
    }

    private async ValueTask<BlobProperties?> HeadAsync(string key, CancellationToken cancellationToken) => await _runner.RunAsync(
        $"look at object {key}", 0,
        async (_, token) =>
        {
            try
            {
                return (await _container.GetBlobClient(_prefix.KeyOf(key)).GetPropertiesAsync(cancellationToken: token).ConfigureAwait(false)).Value;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
            {
                return null;
            }
        },
        cancellationToken).ConfigureAwait(false);

    private static BucketProperties Properties(
        string? type, string? encoding, string? language, string? disposition, string? cache, IDictionary<string, string>? metadata) => new()
    {
        ContentType = Text(type),
        ContentEncoding = Text(encoding),
        ContentLanguage = Text(language),
        ContentDisposition = Text(disposition),
        CacheControl = Text(cache),
        Metadata = new SortedDictionary<string, string>(metadata ?? new Dictionary<string, string>(), StringComparer.Ordinal),
    };

    private static BlobHttpHeaders Headers(BucketProperties properties) => new()
    {
        ContentType = properties.ContentType ?? "application/octet-stream",
        ContentEncoding = properties.ContentEncoding,
        ContentLanguage = properties.ContentLanguage,
        ContentDisposition = properties.ContentDisposition,
        CacheControl = properties.CacheControl,
    };

    /// <summary>Names must be C# identifiers here, which S3's need not be: the others get what is nearest.</summary>
    private static Dictionary<string, string> Metadata(BucketProperties properties)
    {
        var metadata = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in properties.Metadata) metadata[Identifier(name)] = value;
        return metadata;
    }

    private static string Identifier(string name)
    {
        var legal = string.Concat(name.Select(c => char.IsAsciiLetterOrDigit(c) || c == '_' ? c : '_'));
        return legal.Length == 0 || char.IsAsciiDigit(legal[0]) ? "_" + legal : legal;
    }

    private static string? Text(string? header) => string.IsNullOrEmpty(header) ? null : header;

    /// <summary>Blocks that are never named in a list go by themselves after a week.</summary>
    private sealed class Upload(AzureBlobBucket bucket, string key, BucketProperties properties) : IBucketUpload
    {
        private readonly BlockBlobClient _blob = bucket._container.GetBlockBlobClient(bucket._prefix.KeyOf(key));
        private readonly string _mark = Guid.NewGuid().ToString("N");
        private readonly List<string> _blocks = [];

        public async ValueTask AddAsync(ReadOnlyMemory<byte> part, CancellationToken cancellationToken)
        {
            var id = Convert.ToBase64String(Encoding.ASCII.GetBytes($"{_mark}-{_blocks.Count:d5}"));
            await bucket._runner.RunAsync(
                $"write object {key}", part.Length, (_, token) => _blob.StageBlockAsync(id, new ContentStream(part), null, token), cancellationToken)
                .ConfigureAwait(false);
            _blocks.Add(id);
        }

        public async ValueTask CompleteAsync(CancellationToken cancellationToken) => await bucket._runner.RunAsync(
            $"write object {key}", 0,
            (_, token) => _blob.CommitBlockListAsync(
                _blocks, new CommitBlockListOptions { HttpHeaders = Headers(properties), Metadata = Metadata(properties) }, token),
            cancellationToken).ConfigureAwait(false);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
