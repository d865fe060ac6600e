using System.Net;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>
/// Deletes where the account keeps versions: to delete a blob makes its current version a previous one, which is paid for on until it is
/// deleted too.
/// </summary>
internal sealed class AzureBlobVersions(BlobContainerClient container, RequestRunner runner)
{
    private volatile bool _mayNotRemove;

    /// <summary>Removes a blob that is there and not locked, with its bytes where that is permitted, otherwise out of sight.</summary>
    public async ValueTask DeleteAsync(string name, string key, string? version, CancellationToken cancellationToken)
    {
        await HideAsync(name, key, cancellationToken).ConfigureAwait(false);
        if (string.IsNullOrEmpty(version) || _mayNotRemove) return;
        await runner.RunAsync(
            $"delete object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    await container.GetBlobClient(key).WithVersion(version).DeleteAsync(cancellationToken: token).ConfigureAwait(false);
                }
                catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
                {
                    return true;
                }
                catch (RequestFailedException e) when (AzureBlobErrors.IsLocked(e))
                {
                    return true; // not by us, but by a policy of the container: it stays out of sight
                }
                catch (RequestFailedException e) when (e.Status == (int)HttpStatusCode.Forbidden)
                {
                    _mayNotRemove = true;
                }

                return true;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes what is left of a blob that was deleted: older versions and snapshots. What soft delete keeps only time removes.</summary>
    /// <returns>Null: nothing is left. Otherwise what is, and what mends it.</returns>
    public async ValueTask<string?> PurgeAsync(string name, string key, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var version in (await ListAsync(name, key, BlobStates.Version, cancellationToken).ConfigureAwait(false)).Where(b => b.VersionId is not null))
                if (!await RemoveAsync(name, container.GetBlobClient(key).WithVersion(version.VersionId), cancellationToken).ConfigureAwait(false))
                    return $"Older versions of {name} are still in container {container.Name}, and could not be removed; a policy of the container keeps "
                        + "them, or this identity may not delete versions.";
            // The service says of soft-deleted blobs how long they stay.
            var kept = (await ListAsync(name, key, BlobStates.Deleted | BlobStates.Version | BlobStates.Snapshots, cancellationToken).ConfigureAwait(false))
                .Where(b => b.Deleted).ToList();
            return kept.Count == 0 ? null
                : $"Soft delete keeps {name} in container {container.Name}"
                    + (kept.Max(b => b.Properties?.RemainingRetentionDays) is { } days ? $" for {days} more days" : " for a time")
                    + "; it is gone after that, or when somebody deletes it permanently.";
        }
        catch (StoreAccessException e)
        {
            return $"Whether older versions of {name} are still in container {container.Name} cannot be seen: {e.Message}";
        }
    }

    private async ValueTask<IReadOnlyList<BlobItem>> ListAsync(string name, string key, BlobStates states, CancellationToken cancellationToken) =>
        await runner.RunAsync(
            $"list versions of {name}", 0,
            async (_, token) => (IReadOnlyList<BlobItem>)await container.GetBlobsAsync(BlobTraits.None, states, key, token)
                .Where(b => b.Name == key).ToListAsync(token).ConfigureAwait(false),
            cancellationToken).ConfigureAwait(false);

    /// <summary>False: it is kept, or this identity may not.</summary>
    private async ValueTask<bool> RemoveAsync(string name, BlobClient version, CancellationToken cancellationToken) => await runner.RunAsync(
        $"delete object {name}", 0,
        async (_, token) =>
        {
            try
            {
                await version.DeleteAsync(cancellationToken: token).ConfigureAwait(false);
                return true;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
            {
                return true;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsLocked(e) || e.Status == (int)HttpStatusCode.Forbidden)
            {
                return false;
            }
        },
        cancellationToken).ConfigureAwait(false);

    /// <summary>Without versions: deletes. With: the current version becomes a previous one.</summary>
    public async ValueTask HideAsync(string name, string key, CancellationToken cancellationToken) => await runner.RunAsync(
        $"delete object {name}", 0,
        async (_, token) =>
        {
            try
            {
                await container.GetBlobClient(key).DeleteAsync(DeleteSnapshotsOption.IncludeSnapshots, cancellationToken: token)
                    .ConfigureAwait(false);
                return true;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
            {
                return true;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsLocked(e))
            {
                throw new ObjectLockedException(name, null, e);
            }
        },
        cancellationToken).ConfigureAwait(false);
}
