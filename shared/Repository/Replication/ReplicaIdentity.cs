using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>Whether two stores may be primary and replica of each other.</summary>
internal static class ReplicaIdentity
{
    /// <summary>Returns whether the replica is a repository already; otherwise it is empty, or seeding it was interrupted.</summary>
    /// <param name="config">The primary's, authenticated when it was unlocked.</param>
    /// <param name="primary">Its store.</param>
    /// <param name="replica">The other one.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="ReplicaRefusedException">They are not.</exception>
    public static async ValueTask<bool> CheckAsync(
        RepositoryConfig config, IObjectStore primary, IObjectStore replica, CancellationToken cancellationToken)
    {
        // Again, and not only when the repository was opened: a store that was emptied since has nothing to say.
        var now = await LoadAsync(primary, cancellationToken).ConfigureAwait(false)
            ?? throw new ReplicaRefusedException(
                $"Nothing was replicated: {primary.Description} has no object 'config' any more, so it is no primary; 'fbackup repository repair' puts it back from a replica.");
        if (now.RepositoryId != config.RepositoryId || now.KeyGeneration != config.KeyGeneration)
            throw new ReplicaRefusedException($"Nothing was replicated: the repository in {primary.Description} was replaced by another one; check the storage settings.");
        if (await LoadAsync(replica, cancellationToken).ConfigureAwait(false) is { } its)
        {
            return its.RepositoryId == config.RepositoryId && its.KeyGeneration == config.KeyGeneration ? true : throw new ReplicaRefusedException(
                $"Nothing was replicated: {replica.Description} holds another repository ({its.RepositoryId}) than {primary.Description} ({config.RepositoryId}); "
                + "give the replica a place of its own, or check which of the two is meant.");
        }

        var ours = KeyObjects.Prefix + config.KeyGeneration + "/";
        await foreach (var found in replica.ListAsync("", cancellationToken).ConfigureAwait(false))
        {
            if (found.Name.StartsWith(ours, StringComparison.Ordinal)) continue;
            throw new ReplicaRefusedException(
                $"Nothing was replicated: {replica.Description} is no repository, but it is not empty (it has {found.Name}); give the replica a place of "
                + "its own, or run 'fbackup repository repair' if a replica lost its object 'config'.");
        }

        return false;
    }

    private static async ValueTask<RepositoryConfig?> LoadAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var bytes = await KeyObjects.ReadAsync(store, KeyObjects.Config, cancellationToken).ConfigureAwait(false);
        return bytes is null ? null : RepositoryConfig.Parse(bytes, store.Description);
    }
}
