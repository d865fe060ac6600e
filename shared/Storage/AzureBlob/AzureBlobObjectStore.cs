using System.Net;
using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>
/// Objects as block blobs in a container, below a prefix. What cannot be the name of an object is not the store's and is left alone. The
/// container must exist.
/// </summary>
public sealed class AzureBlobObjectStore : IObjectStore, IProbedStore, ILockingStore, IPurgingStore
{
    private readonly AzureBlobStoreOptions _options;
    private readonly KeyPrefix _prefix;
    private readonly BlobContainerClient _container;
    private readonly HttpClient _http;
    private readonly RequestRunner _runner;
    private readonly AzureBlobCreator _creator;
    private readonly AzureBlobLocks _locks;
    private readonly AzureBlobVersions _versions;

    /// <summary>A store that is reached only when it is used.</summary>
    /// <exception cref="StoreAccessException">What is configured is no address or no credential.</exception>
    public AzureBlobObjectStore(AzureBlobStoreOptions options, TimeProvider? time = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(options.Container);
        _options = options;
        _prefix = new KeyPrefix(options.Prefix);
        (_container, _http) = AzureBlobClients.Create(options);
        _runner = new RequestRunner(options.Limits, new AzureBlobErrors(options.Container).Translate, time ?? TimeProvider.System);
        _locks = new AzureBlobLocks(_container, options, _runner, time ?? TimeProvider.System);
        _versions = new AzureBlobVersions(_container, _runner);
        _creator = new AzureBlobCreator(_container, options, _runner, _locks);
        // Of the address only scheme, host and path: a signature stands behind them.
        Description = $"container {_container.Uri.GetLeftPart(UriPartial.Path).TrimEnd('/')}"
            + (_prefix.Text.Length > 0 ? $"/{_prefix.Text.TrimEnd('/')}" : "");
    }

    public string Description { get; }

    public RetentionLock? Lock => _options.Lock;

    internal RequestRunner Runner => _runner;

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        cancellationToken.ThrowIfCancellationRequested();
        return await _creator.CreateAsync(name, _prefix.KeyOf(name), content, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        return await HeadAsync(name, cancellationToken).ConfigureAwait(false) is { } found
            ? new ObjectInfo(name, found.ContentLength, WholeSeconds(found.LastModified))
            : null;
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        if (destination.IsEmpty || offset > long.MaxValue - destination.Length)
            return await HeadAsync(name, cancellationToken).ConfigureAwait(false) is null ? throw Missing(name) : 0;
        var read = new RangedRead(offset, destination);
        var blob = _container.GetBlobClient(_prefix.KeyOf(name));
        var result = await _runner.RunAsync(
            $"read object {name}", destination.Length, (_, token) => ReadAsync(blob, read, token), cancellationToken).ConfigureAwait(false);
        return result ?? throw Missing(name);
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.CheckPrefix(prefix);
        var last = "";
        var options = new GetBlobsOptions { Prefix = _prefix.Text + prefix };
        for (string? next = null; ;)
        {
            var page = await _runner.RunAsync(
                $"list objects {prefix}", 0, (_, token) => ReadPageAsync(options, next, token), cancellationToken).ConfigureAwait(false);
            foreach (var found in page.Values)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (string.CompareOrdinal(found.Name, last) <= 0) throw Unordered();
                last = found.Name;
                if (_prefix.TryGetName(found.Name, out var name))
                    yield return new ObjectInfo(
                        name, found.Properties.ContentLength ?? 0, WholeSeconds(found.Properties.LastModified ?? DateTimeOffset.UnixEpoch));
            }

            if (string.IsNullOrEmpty(page.ContinuationToken)) yield break;
            next = page.ContinuationToken;
        }
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        ObjectName.Check(name);
        // Asked first: whether a repeated request finds nothing because an attempt before it removed the blob, nobody could say. And with
        // versions a delete of what is locked would succeed, and only put it out of sight.
        if (await HeadAsync(name, cancellationToken).ConfigureAwait(false) is not { } found) return false;
        if (_locks.Active(found) is { } locked && Lock?.Covers(name) == true) throw new ObjectLockedException(name, locked.Until);
        await _versions.DeleteAsync(name, _prefix.KeyOf(name), found.VersionId, cancellationToken).ConfigureAwait(false);
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

    public async ValueTask<IReadOnlyList<ProbeFinding>> ProbeAsync(CancellationToken cancellationToken) =>
        [await new AzureBlobLockProbe(_container, _options, _runner).RunAsync(cancellationToken).ConfigureAwait(false)];

    /// <summary>There is none: the container only answers questions.</summary>
    public ValueTask RemoveProbeAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        _runner.Dispose();
        return ValueTask.CompletedTask;
    }

    /// <summary>One attempt; what an attempt before it got stays. Null: there is no such blob.</summary>
    private static async Task<int?> ReadAsync(BlobClient blob, RangedRead read, CancellationToken cancellationToken)
    {
        var options = new BlobDownloadOptions { Range = new HttpRange(read.Next, read.Last - read.Next + 1) };
        if (read.Tag is { } tag) options.Conditions = new BlobRequestConditions { IfMatch = new ETag(tag) };
        try
        {
            var response = await blob.DownloadStreamingAsync(options, cancellationToken).ConfigureAwait(false);
            using var body = response.Value;
            var raw = response.GetRawResponse();
            // A server may ignore the range, which must not be taken for the bytes at the offset.
            if (read.Next > 0 && raw.Status != (int)HttpStatusCode.PartialContent)
                throw new StoreException("The blob service ignores ranges of reads; use one that does not.");
            return await read.FillAsync(
                body.Content, body.Details.ContentLength, body.Details.ETag.ToString(), cancellationToken).ConfigureAwait(false);
        }
        catch (RequestFailedException e) when (e.Status == (int)HttpStatusCode.RequestedRangeNotSatisfiable)
        {
            return read.Filled;
        }
        catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
        {
            return null;
        }
        catch (RequestFailedException e) when (e.Status == (int)HttpStatusCode.PreconditionFailed)
        {
            read.Restart(); // deleted and created anew between two attempts: begin again
            throw new IOException("The blob changed while it was read.", e);
        }
    }

    private async Task<Page<BlobItem>> ReadPageAsync(GetBlobsOptions options, string? next, CancellationToken cancellationToken)
    {
        await foreach (var page in _container.GetBlobsAsync(options, cancellationToken).AsPages(next, _options.Limits.ListPageSize)
            .ConfigureAwait(false))
            return page;
        throw new IOException("The listing has no page.");
    }

    private async ValueTask<BlobProperties?> HeadAsync(string name, CancellationToken cancellationToken) => await _runner.RunAsync(
        $"look at object {name}", 0,
        async (_, token) =>
        {
            try
            {
                var found = await _container.GetBlobClient(_prefix.KeyOf(name)).GetPropertiesAsync(cancellationToken: token)
                    .ConfigureAwait(false);
                return found.Value;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
            {
                return null;
            }
        },
        cancellationToken).ConfigureAwait(false);

    private StoreException Unordered() => new($"{Description} lists blobs out of order; use a storage account of an ordinary kind.");

    private ObjectNotFoundException Missing(string name) => new(name, Description);

    private static DateTimeOffset WholeSeconds(DateTimeOffset time) => DateTimeOffset.FromUnixTimeSeconds(time.ToUnixTimeSeconds());
}
