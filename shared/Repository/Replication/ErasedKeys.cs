using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Keys of data subjects that were destroyed must not come back from a copy: a tombstone on either side counts for both. Only one that opens: by its
/// name alone, whoever may create objects could have keys destroyed.
/// </summary>
/// <param name="unlocked">The repository's keys; stay the caller's.</param>
internal sealed class ErasedKeys(UnlockedRepository unlocked)
{
    /// <summary>Keys that have a tombstone in one of two stores. Tombstones that only one has, the other gets.</summary>
    public async ValueTask<HashSet<SubjectRef>> SpreadAsync(IObjectStore one, IObjectStore other, CancellationToken cancellationToken)
    {
        var erased = new HashSet<SubjectRef>();
        await foreach (var (left, right) in ReplicatedObjects.JoinAsync(one, other, SubjectRef.Tombstones, cancellationToken).ConfigureAwait(false))
        {
            var info = (left ?? right)!;
            if (SubjectRef.Parse(info.Name) is not { } reference) continue;
            if (left is not null && await IsTombstoneAsync(one, left.Name, cancellationToken).ConfigureAwait(false))
            {
                erased.Add(reference);
                if (right is null) await CopyAsync(left, one, other, cancellationToken).ConfigureAwait(false);
            }
            else if (right is not null && await IsTombstoneAsync(other, right.Name, cancellationToken).ConfigureAwait(false))
            {
                erased.Add(reference);
                if (left is null) await CopyAsync(right, other, one, cancellationToken).ConfigureAwait(false);
            }
        }

        return erased;
    }

    /// <summary>Destroys those that a store has.</summary>
    /// <returns>What may be left of them, one sentence each.</returns>
    public static async ValueTask<IReadOnlyList<string>> PurgeAsync(IObjectStore store, HashSet<SubjectRef> erased, CancellationToken cancellationToken)
    {
        if (erased.Count == 0) return [];
        var there = await store.ListAsync(SubjectRef.Keys, cancellationToken).Select(i => SubjectRef.Parse(i.Name)).Where(r => r is { } its && erased.Contains(its))
            .Select(r => r!.Value).ToListAsync(cancellationToken).ConfigureAwait(false);
        return (await SubjectErasure.PurgeAsync(store, there, cancellationToken).ConfigureAwait(false)).Remains;
    }

    private async ValueTask<bool> IsTombstoneAsync(IObjectStore store, string name, CancellationToken cancellationToken)
    {
        try
        {
            var sealedObjects = new SealedObjects(store, unlocked.Keys, unlocked.Config.RepositoryId);
            return await sealedObjects.ReadAsync(SealedKind.Tombstone, name, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (DamageException)
        {
            return false; // verification names it, and healing puts it right where the other side has a good one
        }
    }

    private static async ValueTask CopyAsync(ObjectInfo info, IObjectStore from, IObjectStore to, CancellationToken cancellationToken)
    {
        using var bytes = await ObjectBytes.ReadAsync(from, info.Name, info.Size, cancellationToken).ConfigureAwait(false);
        if (bytes is not null) await to.CreateAsync(info.Name, bytes.Memory, cancellationToken).ConfigureAwait(false);
    }
}
