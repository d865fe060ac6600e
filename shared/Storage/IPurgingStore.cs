namespace FunctionsBackup.Storage;

/// <summary>A store that may keep what was deleted, as older versions or for a time, and can be asked to let go of that too.</summary>
public interface IPurgingStore
{
    /// <summary>Removes an object with all that the store keeps of it, older versions included. One that is not there is none to remove.</summary>
    /// <returns>Null: nothing is left that the store shows. Otherwise one sentence on what is left, with the mend.</returns>
    /// <exception cref="StoreException">The store could not be asked.</exception>
    ValueTask<string?> PurgeAsync(string name, CancellationToken cancellationToken);
}

/// <summary>What callers of stores share.</summary>
public static class PurgingStores
{
    /// <inheritdoc cref="IPurgingStore.PurgeAsync"/>
    public static async ValueTask<string?> PurgeAsync(this IObjectStore store, string name, CancellationToken cancellationToken)
    {
        if (store is IPurgingStore purging) return await purging.PurgeAsync(name, cancellationToken).ConfigureAwait(false);
        await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        return null;
    }
}
