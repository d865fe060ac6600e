using System.Collections.Concurrent;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>
/// Puts single objects back. Objects are created once, so a damaged one must be removed before it is made anew: only after good bytes of it
/// were read from the other side and checked.
/// </summary>
internal sealed class ObjectHealer(ObjectCheck check)
{
    private readonly ConcurrentBag<HealedObject> _healed = [];
    private readonly ConcurrentBag<UnhealedObject> _unhealed = [];

    public HealingReport Report => new(
        [.. _healed.OrderBy(h => h.Store, StringComparer.Ordinal).ThenBy(h => h.Name, StringComparer.Ordinal)],
        [.. _unhealed.OrderBy(h => h.Store, StringComparer.Ordinal).ThenBy(h => h.Name, StringComparer.Ordinal)]);

    /// <summary>What is wrong with an object in a store; null: nothing, or it is not there.</summary>
    public async ValueTask<string?> FindProblemAsync(IObjectStore store, string name, CancellationToken cancellationToken)
    {
        try
        {
            using var bytes = await ObjectBytes.ReadAsync(store, name, null, cancellationToken).ConfigureAwait(false);
            return bytes is null ? null : await check.FindProblemAsync(name, bytes.Memory, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreException e) when (ObjectBytes.IsDamage(e))
        {
            return e.Message.TrimEnd('.');
        }
    }

    /// <summary>Compares both copies, and heals the one that is damaged.</summary>
    public async ValueTask CompareAsync(IObjectStore one, IObjectStore other, string name, CancellationToken cancellationToken)
    {
        if (await FindProblemAsync(one, name, cancellationToken).ConfigureAwait(false) is { } problem)
            await HealAsync(one, other, name, problem, true, cancellationToken).ConfigureAwait(false);
        if (await FindProblemAsync(other, name, cancellationToken).ConfigureAwait(false) is { } its && !IsUnhealed(other, name))
            await HealAsync(other, one, name, its, true, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts one object back.</summary>
    /// <param name="store">Where it is missing or damaged.</param>
    /// <param name="from">Where a good copy may be.</param>
    /// <param name="name">Which.</param>
    /// <param name="problem">What is wrong with it, as half a sentence.</param>
    /// <param name="isThere">It is damaged, not missing.</param>
    /// <param name="cancellationToken">Stops before anything is removed.</param>
    public async ValueTask HealAsync(
        IObjectStore store, IObjectStore from, string name, string problem, bool isThere, CancellationToken cancellationToken)
    {
        using var bytes = await ObjectBytes.ReadAsync(from, name, null, cancellationToken).ConfigureAwait(false);
        var its = bytes is null ? "it is not there" : await check.FindProblemAsync(name, bytes.Memory, cancellationToken).ConfigureAwait(false);
        if (its is not null)
        {
            _unhealed.Add(new UnhealedObject(
                store.Description, name, $"{name} in {store.Description} cannot be healed: {problem}; and in {from.Description} {its}."));
            if (bytes is not null)
                _unhealed.Add(new UnhealedObject(
                    from.Description, name, $"{name} in {from.Description} cannot be healed: {its}; and in {store.Description} {problem}."));
            return;
        }

        // From here on without cancellation: what was removed is to be put back.
        var removed = false;
        try
        {
            removed = isThere && await store.DeleteAsync(name, cancellationToken).ConfigureAwait(false);
        }
        catch (StoreAccessException e)
        {
            _unhealed.Add(new UnhealedObject(
                store.Description, name, $"{name} in {store.Description} is damaged ({problem}), and cannot be replaced: {e.Message} It is whole in {from.Description}."));
            return;
        }

        try
        {
            await store.CreateAsync(name, bytes!.Memory, CancellationToken.None).ConfigureAwait(false);
            _healed.Add(new HealedObject(store.Description, name, problem, from.Description));
        }
        catch (StoreException e) when (removed)
        {
            throw new RepositoryException(
                $"{name} in {store.Description} was damaged and was removed, but could not be created anew: {e.Message} It is whole in {from.Description}; "
                + "run 'fbackup repository repair' again.", e);
        }
    }

    private bool IsUnhealed(IObjectStore store, string name) => _unhealed.Any(u => u.Store == store.Description && u.Name == name);
}
