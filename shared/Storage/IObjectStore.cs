namespace FunctionsBackup.Storage;

/// <summary>
/// A place for write-once objects: a folder, an S3 bucket, an Azure Blob container. The repository needs nothing more than this.
/// </summary>
/// <remarks>
/// <para>Names are relative, ASCII <c>[A-Za-z0-9._-]</c> segments joined by <c>/</c>, at most 512 characters, no empty, <c>.</c> or
/// <c>..</c> segment (<see cref="ObjectName.Check"/>). All members may be called concurrently.</para>
/// <para>Errors: <see cref="StoreException"/> and its subclasses, and <see cref="OperationCanceledException"/>. A cancelled or failed
/// create leaves either the whole object or nothing under its name.</para>
/// </remarks>
public interface IObjectStore : IAsyncDisposable
{
    /// <summary>Where this store is, for people: <c>folder /srv/backups</c>. Never contains a secret.</summary>
    string Description { get; }

    /// <summary>
    /// Creates an object, only if no object of that name exists, and returns when it is durable (file and directory entry synced; the
    /// service's acknowledgement for a remote store).
    /// </summary>
    /// <returns>True if this call created it; false if an object of that name exists already (left as it is).</returns>
    ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken);

    /// <summary>Size and time of an object, or null if there is none.</summary>
    ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Reads bytes from <paramref name="offset"/> until <paramref name="destination"/> is full or the object ends.
    /// </summary>
    /// <returns>Bytes read; less than asked only at the end of the object, 0 at or after the end.</returns>
    /// <exception cref="ObjectNotFoundException">There is no such object.</exception>
    ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken);

    /// <summary>
    /// All objects whose name begins with <paramref name="prefix"/> (which ends with <c>/</c> or is empty), in ordinal order of their
    /// names. An object created before the call is listed; one created or deleted meanwhile may or may not be.
    /// </summary>
    IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Deletes an object. Deleting what does not exist is not an error.</summary>
    /// <returns>True if an object was there.</returns>
    ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken);
}
