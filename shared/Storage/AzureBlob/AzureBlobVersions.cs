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
