using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>
/// Deletes where the bucket keeps versions: a plain delete would only put a marker on top, and what was deleted would be paid for on.
/// </summary>
internal sealed class S3Versions(IAmazonS3 client, S3StoreOptions options, RequestRunner runner)
{
    private const int MaximumRounds = 100;

    private volatile bool _mayNotRemove;

    /// <summary>Whether versions were left behind because this identity may not remove them.</summary>
    public bool Leaves => _mayNotRemove;

    /// <summary>Removes an object that is there and not locked, with its bytes where that is permitted, otherwise out of sight.</summary>
    public async ValueTask DeleteAsync(string name, string key, string? version, CancellationToken cancellationToken)
    {
        if (version is { Length: > 0 } and not "null" && !_mayNotRemove)
        {
            if (await RemoveAsync(name, key, version, cancellationToken).ConfigureAwait(false)) return;
            _mayNotRemove = true;
        }

        await HideAsync(name, key, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Without versions: deletes. With: puts a marker on top.</summary>
    public async ValueTask HideAsync(string name, string key, CancellationToken cancellationToken)
    {
        var request = new DeleteObjectRequest { BucketName = options.Bucket, Key = key };
        await runner.RunAsync(
            $"delete object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    await client.DeleteObjectAsync(request, token).ConfigureAwait(false);
                    return true;
                }
                catch (AmazonS3Exception e) when (SaysLocked(e))
                {
                    throw new ObjectLockedException(name, null, e);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Removes what is left of a key that was deleted: older versions and markers.</summary>
    /// <returns>Null: nothing is left. Otherwise what is, and what mends it.</returns>
    public async ValueTask<string?> PurgeAsync(string name, string key, CancellationToken cancellationToken)
    {
        try
        {
            // Of more than a page of versions of one key, each round takes one.
            for (var round = 0; ; round++)
            {
                var request = new ListVersionsRequest { BucketName = options.Bucket, Prefix = key };
                var page = await runner.RunAsync(
                    $"list versions of {name}", 0, (_, token) => client.ListVersionsAsync(request, token), cancellationToken).ConfigureAwait(false);
                var versions = (page.Versions ?? []).FindAll(v => v.Key == key && v.VersionId is { Length: > 0 });
                if (versions.Count == 0) return null;
                foreach (var version in versions)
                    if (!await RemoveAsync(name, key, version.VersionId, cancellationToken).ConfigureAwait(false))
                        return $"Older versions of {name} are still in bucket {options.Bucket}, and this identity may not remove them; "
                            + "allow s3:DeleteObjectVersion for it, or let somebody remove them who may.";
                if (round == MaximumRounds) return $"New versions of {name} keep coming in bucket {options.Bucket}; find out who writes them.";
            }
        }
        catch (StoreAccessException e)
        {
            return $"Whether older versions of {name} are still in bucket {options.Bucket} cannot be seen: {e.Message}";
        }
        catch (ObjectLockedException)
        {
            return $"Older versions of {name} are locked in bucket {options.Bucket} by a rule of the bucket's own; they go when it lets them.";
        }
    }

    /// <summary>Removes all versions and markers of a key.</summary>
    /// <returns>False: there are no versions, or it is not permitted.</returns>
    public async ValueTask<bool> TryRemoveAllAsync(string key, CancellationToken cancellationToken)
    {
        var request = new ListVersionsRequest { BucketName = options.Bucket, Prefix = key };
        try
        {
            var page = await runner.RunAsync(
                "list versions of the probe object", 0, (_, token) => client.ListVersionsAsync(request, token), cancellationToken)
                .ConfigureAwait(false);
            var versions = (page.Versions ?? []).FindAll(v => v.Key == key && v.VersionId is { Length: > 0 } and not "null");
            var removed = versions.Count > 0;
            foreach (var version in versions)
                removed &= await RemoveAsync("~probe", key, version.VersionId, cancellationToken).ConfigureAwait(false);
            return removed;
        }
        catch (Exception e) when (e is StoreAccessException or ObjectLockedException)
        {
            return false; // what stays is a few bytes under a name that no listing of the store shows
        }
    }

    /// <summary>False: this identity may not.</summary>
    private async ValueTask<bool> RemoveAsync(string name, string key, string version, CancellationToken cancellationToken)
    {
        var request = new DeleteObjectRequest { BucketName = options.Bucket, Key = key, VersionId = version };
        return await runner.RunAsync(
            $"delete object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    await client.DeleteObjectAsync(request, token).ConfigureAwait(false);
                    return true;
                }
                catch (AmazonS3Exception e) when (SaysLocked(e))
                {
                    throw new ObjectLockedException(name, null, e);
                }
                catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.Forbidden && e.ErrorCode is null or "AccessDenied")
                {
                    return false;
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    private static bool SaysLocked(AmazonS3Exception e) => e.StatusCode == HttpStatusCode.Forbidden
        && e.Message?.Contains("object lock", StringComparison.OrdinalIgnoreCase) == true;
}
