namespace FunctionsBackup.Storage.Locks;

/// <summary>
/// A store whose service can keep objects from being deleted until a date. <see cref="IObjectStore.DeleteAsync"/> throws
/// <see cref="ObjectLockedException"/> for an object that <see cref="Lock"/> covers and that is locked; another that is locked, by a rule of the
/// bucket, it takes out of sight.
/// </summary>
public interface ILockingStore
{
    /// <summary>The lock of new objects; null: none was asked for.</summary>
    RetentionLock? Lock { get; }

    /// <summary>The lock on an object that has not ended yet; null: none, or no such object.</summary>
    ValueTask<ObjectLock?> FindLockAsync(string name, CancellationToken cancellationToken);

    /// <summary>
    /// Locks an object until <paramref name="until"/>, or leaves it as it is if its lock ends later. Never shortens.
    /// </summary>
    /// <returns>When its lock ends now.</returns>
    /// <exception cref="ObjectNotFoundException">There is no such object.</exception>
    /// <exception cref="StoreException">The service cannot lock, or this identity may not.</exception>
    ValueTask<DateTimeOffset> ExtendLockAsync(string name, DateTimeOffset until, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a locked object out of sight, so that another can be created under its name; what it held stays with the service as an older
    /// version. For what must not be found any more (a spoilt object, a removed key), not for saving space.
    /// </summary>
    /// <returns>True if an object was there.</returns>
    ValueTask<bool> HideAsync(string name, CancellationToken cancellationToken);
}

/// <summary>What callers of stores share.</summary>
public static class LockedStores
{
    /// <summary>Deletes an object; if it is locked, takes it out of sight.</summary>
    public static async ValueTask<bool> DeleteOrHideAsync(this IObjectStore store, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (ObjectLockedException) when (store is ILockingStore locking)
        {
            return await locking.HideAsync(name, cancellationToken).ConfigureAwait(false);
        }
    }
}
