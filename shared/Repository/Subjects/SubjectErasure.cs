using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Subjects;

/// <summary>What became of the keys of a subject in one store.</summary>
/// <param name="Store">Where.</param>
/// <param name="Destroyed">Names of keys that were there and are not any more.</param>
/// <param name="Remains">What may still hold a key there, one sentence each; empty: nothing that the store shows.</param>
public sealed record StoreErasure(string Store, IReadOnlyList<string> Destroyed, IReadOnlyList<string> Remains);

/// <summary>
/// Destroys the keys of a data subject: first the tombstone, which is for ever, then the key. Broken off anywhere, a key that has a tombstone is not
/// used, and another call does the rest.
/// </summary>
public sealed class SubjectErasure(BackupRepository repository)
{
    /// <summary>Destroys the keys in the repository itself. What was sealed with them cannot be read from then on.</summary>
    /// <param name="keys">From <see cref="SubjectKeys.ListAsync"/>.</param>
    /// <param name="tombstone">Who asked, and when.</param>
    /// <param name="cancellationToken">Stops between keys.</param>
    public async ValueTask<StoreErasure> EraseAsync(IReadOnlyList<SubjectRef> keys, Tombstone tombstone, CancellationToken cancellationToken)
    {
        foreach (var key in keys) await repository.Subjects.AddTombstoneAsync(key, tombstone, cancellationToken).ConfigureAwait(false);
        return await PurgeAsync(repository.Store, keys, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>The same in a copy of the repository: its tombstones are the repository's own, byte for byte.</summary>
    public async ValueTask<StoreErasure> FollowAsync(IObjectStore replica, IReadOnlyList<SubjectRef> keys, CancellationToken cancellationToken)
    {
        foreach (var key in keys)
        {
            var name = key.TombstoneName;
            if (await repository.Store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not { } info)
                throw new ObjectNotFoundException(name, repository.Store.Description);
            var bytes = new byte[info.Size];
            var read = await repository.Store.ReadAsync(name, 0, bytes, cancellationToken).ConfigureAwait(false);
            if (read != bytes.Length || !SealedObjects.CheckIntegrity(bytes))
                throw new DamageException(name, $"{name} is damaged; run 'fbackup repository repair'.");
            await replica.CreateAsync(name, bytes, cancellationToken).ConfigureAwait(false);
        }

        return await PurgeAsync(replica, keys, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes keys that have tombstones, with whatever the store keeps of them besides.</summary>
    internal static async ValueTask<StoreErasure> PurgeAsync(IObjectStore store, IReadOnlyList<SubjectRef> keys, CancellationToken cancellationToken)
    {
        List<string> destroyed = [], remains = [];
        foreach (var name in keys.Select(k => k.KeyName))
        {
            var there = await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null;
            if (await store.PurgeAsync(name, cancellationToken).ConfigureAwait(false) is { } left) remains.Add(left);
            if (await store.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null)
                remains.Add($"{name} is still in {store.Description}: somebody put it back, or does not let it go.");
            else if (there) destroyed.Add(name);
        }

        return new StoreErasure(store.Description, destroyed, remains);
    }
}
