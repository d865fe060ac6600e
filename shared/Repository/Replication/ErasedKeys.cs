using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Subjects;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>Keys of data subjects that were destroyed must not come back from a copy: a tombstone on either side counts for both.</summary>
internal static class ErasedKeys
{
    /// <summary>Names of keys that have a tombstone in one of two stores.</summary>
    public static async ValueTask<HashSet<string>> ListAsync(IObjectStore one, IObjectStore other, CancellationToken cancellationToken)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var store in new[] { one, other })
            await foreach (var info in store.ListAsync(SubjectRef.Tombstones, cancellationToken).ConfigureAwait(false))
                if (SubjectRef.Parse(info.Name) is { } reference) names.Add(reference.KeyName);
        return names;
    }

    /// <summary>Gives each store the tombstones that only the other has; one that is damaged waits until it is healed.</summary>
    public static async ValueTask SpreadAsync(IObjectStore one, IObjectStore other, CancellationToken cancellationToken)
    {
        var missing = await ReplicatedObjects.JoinAsync(one, other, SubjectRef.Tombstones, cancellationToken)
            .Where(p => p.One is null || p.Other is null).ToListAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (left, right) in missing)
        {
            var (info, from, to) = left is not null ? (left, one, other) : (right!, other, one);
            using var bytes = await ObjectBytes.ReadAsync(from, info.Name, info.Size, cancellationToken).ConfigureAwait(false);
            if (bytes is not null && SealedObjects.CheckIntegrity(bytes.Memory.Span))
                await to.CreateAsync(info.Name, bytes.Memory, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Destroys those that a store has.</summary>
    /// <returns>What may be left of them, one sentence each.</returns>
    public static async ValueTask<IReadOnlyList<string>> PurgeAsync(IObjectStore store, HashSet<string> erased, CancellationToken cancellationToken)
    {
        if (erased.Count == 0) return [];
        var there = await store.ListAsync(SubjectRef.Keys, cancellationToken).Where(i => erased.Contains(i.Name))
            .Select(i => SubjectRef.Parse(i.Name)!.Value).ToListAsync(cancellationToken).ConfigureAwait(false);
        return (await SubjectErasure.PurgeAsync(store, there, cancellationToken).ConfigureAwait(false)).Remains;
    }
}
