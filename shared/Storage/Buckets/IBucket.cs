namespace FunctionsBackup.Storage.Buckets;

/// <summary>
/// A bucket of S3 or a container of Azure Blob, below a prefix, as somebody else's: where data lies that is protected, or is restored to. Its keys are any
/// text, which <see cref="IObjectStore"/> knows nothing of.
/// </summary>
/// <remarks>All members may be called concurrently. Errors are <see cref="StoreException"/>s.</remarks>
public interface IBucket : IAsyncDisposable
{
    /// <summary>Where it is, for people. Never contains a secret.</summary>
    string Description { get; }

    /// <summary>All objects, page by page, in the service's order.</summary>
    /// <exception cref="StoreException">There is no such bucket, or it may not be listed.</exception>
    IAsyncEnumerable<BucketItem> ListAsync(CancellationToken cancellationToken);

    /// <summary>One object, or null if there is none.</summary>
    ValueTask<BucketItem?> FindAsync(string key, CancellationToken cancellationToken);

    /// <summary>Reads a range of an object as it was when it was listed.</summary>
    /// <param name="item">From <see cref="ListAsync"/>.</param>
    /// <param name="offset">Where to begin, less than the object's size; 0 for an empty one.</param>
    /// <param name="destination">Filled, but for the end of the object.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>Bytes read, and what the service says of the object besides.</returns>
    /// <exception cref="ObjectChangedException">It is another one by now.</exception>
    /// <exception cref="ObjectNotFoundException">It has gone.</exception>
    ValueTask<(int Read, BucketProperties Properties)> ReadAsync(
        BucketItem item, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>Writes a whole object in one request, whatever is there under its key.</summary>
    ValueTask PutAsync(string key, BucketProperties properties, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Begins to write a large object in parts, of which nothing is visible before the end.</summary>
    ValueTask<IBucketUpload> BeginAsync(string key, BucketProperties properties, CancellationToken cancellationToken);
}

/// <summary>A large object on its way. Disposing it before its end takes it back.</summary>
public interface IBucketUpload : IAsyncDisposable
{
    /// <summary>Adds the next part: at least 5 MiB, but for the last.</summary>
    ValueTask AddAsync(ReadOnlyMemory<byte> part, CancellationToken cancellationToken);

    /// <summary>Makes the object visible.</summary>
    ValueTask CompleteAsync(CancellationToken cancellationToken);
}

/// <summary>An object as it was listed.</summary>
/// <param name="Key">Below the prefix; any text, also an empty one.</param>
/// <param name="Size">Bytes.</param>
/// <param name="LastModified">By the service's clock.</param>
/// <param name="Tag">Its entity tag as in an HTTP header, quotes included: changes with the content.</param>
public sealed record BucketItem(string Key, long Size, DateTimeOffset LastModified, string Tag);

/// <summary>What a service keeps of an object besides its bytes.</summary>
public sealed record BucketProperties
{
    public static BucketProperties None { get; } = new();

    public string? ContentType { get; init; }

    public string? ContentEncoding { get; init; }

    public string? ContentLanguage { get; init; }

    public string? ContentDisposition { get; init; }

    public string? CacheControl { get; init; }

    /// <summary>What users noted; names without the service's own prefix.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new SortedDictionary<string, string>(StringComparer.Ordinal);
}

/// <summary>An object of a bucket is not the one that was listed any more.</summary>
public sealed class ObjectChangedException(string key, string bucket) : StoreException($"Object {key} of {bucket} changed while it was read.");
