using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>Reads an object again from another copy when what was read is damaged, where the store has other copies.</summary>
internal static class Copies
{
    /// <exception cref="DamageException">No copy is whole.</exception>
    public static async ValueTask<T> ReadAsync<T>(IObjectStore store, string name, Func<ValueTask<T>> read, CancellationToken cancellationToken)
    {
        if (store is not ICopies copies) return await read().ConfigureAwait(false);
        while (true)
        {
            var copy = copies.CopyOf(name);
            DamageException damage;
            try
            {
                return await read().ConfigureAwait(false);
            }
            catch (DamageException e)
            {
                damage = e;
            }

            if (!await copies.TryNextCopyAsync(name, copy, damage.Message, cancellationToken).ConfigureAwait(false)) throw damage;
        }
    }
}
