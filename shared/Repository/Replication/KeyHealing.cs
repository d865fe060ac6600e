using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Heals what a repository is opened with: config, secrets, epochs. Which side is good, unlocking tells, since nothing else authenticates
/// them.
/// </summary>
public static class KeyHealing
{
    /// <summary>Unlocks the primary, or else the replica, and then puts the other's key objects right by it.</summary>
    /// <param name="primary">One side.</param>
    /// <param name="replica">The other.</param>
    /// <param name="unlock">Opens a store with whatever the caller has.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <returns>The keys, which the caller disposes of, and what was put back.</returns>
    /// <exception cref="RepositoryException">Neither opens, or they are not of one repository.</exception>
    public static async ValueTask<(UnlockedRepository Keys, IReadOnlyList<HealedObject> Healed)> HealAsync(
        IObjectStore primary, IObjectStore replica, Func<IObjectStore, ValueTask<UnlockedRepository>> unlock, CancellationToken cancellationToken)
    {
        var (one, oneError) = await TryAsync(primary, unlock).ConfigureAwait(false);
        var (other, otherError) = await TryAsync(replica, unlock).ConfigureAwait(false);
        try
        {
            var good = one ?? other ?? throw oneError!;
            if (one is not null && other is not null)
            {
                if (one.Config.RepositoryId != other.Config.RepositoryId)
                    throw new ReplicaRefusedException(
                        $"{replica.Description} holds another repository than {primary.Description}; nothing was changed.");
                return (Take(ref one), []);
            }

            // A replica that is empty, or was never completed, has nothing that could be damaged.
            if (otherError is NotARepositoryException && await IsUnseededAsync(replica, cancellationToken).ConfigureAwait(false)) return (Take(ref one!), []);
            var (bad, from, error) = one is null ? (primary, replica, oneError!) : (replica, primary, otherError!);
            var healed = new List<HealedObject>();
            await EnsureSameAsync(bad, good.Config, cancellationToken).ConfigureAwait(false);
            foreach (var name in await NamesAsync(from, good.Config.KeyGeneration, cancellationToken).ConfigureAwait(false))
                if (await PutRightAsync(bad, from, name, cancellationToken).ConfigureAwait(false) is { } problem)
                    healed.Add(new HealedObject(bad.Description, name, problem, from.Description));
            (await unlock(bad).ConfigureAwait(false)).Dispose(); // it opens now, or says what is still wrong
            if (healed.Count == 0) throw error;
            return (one is null ? Take(ref other!) : Take(ref one), healed);
        }
        finally
        {
            one?.Dispose();
            other?.Dispose();
        }
    }

    private static UnlockedRepository Take(ref UnlockedRepository? keys)
    {
        var taken = keys!;
        keys = null;
        return taken;
    }

    private static async ValueTask<(UnlockedRepository? Keys, RepositoryException? Error)> TryAsync(
        IObjectStore store, Func<IObjectStore, ValueTask<UnlockedRepository>> unlock)
    {
        try
        {
            return (await unlock(store).ConfigureAwait(false), null);
        }
        catch (RepositoryException e)
        {
            return (null, e);
        }
    }

    private static async ValueTask<bool> IsUnseededAsync(IObjectStore replica, CancellationToken cancellationToken) =>
        await replica.ListAsync("", cancellationToken).AllAsync(i => i.Name.StartsWith(KeyObjects.Prefix, StringComparison.Ordinal), cancellationToken)
            .ConfigureAwait(false);

    /// <summary>Keys are not written into the repository of somebody else.</summary>
    private static async ValueTask EnsureSameAsync(IObjectStore bad, RepositoryConfig good, CancellationToken cancellationToken)
    {
        var generation = $"{KeyObjects.Prefix}{good.KeyGeneration}/";
        try
        {
            if ((await RepositoryConfig.LoadAsync(bad, cancellationToken).ConfigureAwait(false)).RepositoryId == good.RepositoryId) return;
        }
        catch (RepositoryException)
        {
            // Its config is what is wrong with it; its keys tell.
        }

        await foreach (var found in bad.ListAsync(KeyObjects.Prefix, cancellationToken).ConfigureAwait(false))
            if (found.Name.StartsWith(generation, StringComparison.Ordinal)) return;
        throw new ReplicaRefusedException(
            $"{bad.Description} cannot be opened and has no keys of this repository (none below {generation}), so it is not known to be a copy of it; nothing was changed.");
    }

    private static async ValueTask<List<string>> NamesAsync(IObjectStore store, string generation, CancellationToken cancellationToken)
    {
        var witnesses = KeyObjects.SlotWitnesses(generation);
        var names = await store.ListAsync($"{KeyObjects.Prefix}{generation}/", cancellationToken).Select(i => i.Name)
            .Where(n => !n.StartsWith(witnesses, StringComparison.Ordinal)).ToListAsync(cancellationToken).ConfigureAwait(false);
        return [.. names, KeyObjects.Config];
    }

    /// <summary>A slot that is missing may have been removed, and another one that differs is left to its own check.</summary>
    private static async ValueTask<string?> PutRightAsync(IObjectStore bad, IObjectStore from, string name, CancellationToken cancellationToken)
    {
        var right = await KeyObjects.ReadAsync(from, name, cancellationToken).ConfigureAwait(false);
        var its = await KeyObjects.ReadAsync(bad, name, cancellationToken).ConfigureAwait(false);
        if (right is null || its.AsSpan().SequenceEqual(right)) return null;
        if (name.Contains("/slots/", StringComparison.Ordinal))
        {
            if (its is null) return null;
            try
            {
                KeySlot.Parse(name[(name.LastIndexOf('/') + 1)..], its);
                return null;
            }
            catch (InvalidDataException)
            {
                // Damaged: put right below.
            }
        }

        if (its is not null) await bad.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        try
        {
            await bad.CreateAsync(name, right, CancellationToken.None).ConfigureAwait(false);
            return its is null ? "it was missing" : "it was not what was written";
        }
        catch (StoreException e)
        {
            throw new RepositoryException(
                $"{name} in {bad.Description} could not be put back: {e.Message} It is whole in {from.Description}; run 'fbackup repository repair' again.", e);
        }
    }
}
