using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>Asks the bucket whether it keeps versions and can lock, and judges that by what the configuration wants.</summary>
internal sealed class S3LockProbe(IAmazonS3 client, S3StoreOptions options, RequestRunner runner)
{
    private const string Versions = "versioning", Locks = "retention locks";

    public async ValueTask<IReadOnlyList<ProbeFinding>> RunAsync(CancellationToken cancellationToken) =>
    [
        await VersioningAsync(cancellationToken).ConfigureAwait(false), await LocksAsync(cancellationToken).ConfigureAwait(false),
    ];

    private async ValueTask<ProbeFinding> VersioningAsync(CancellationToken cancellationToken)
    {
        try
        {
            var request = new GetBucketVersioningRequest { BucketName = options.Bucket };
            var found = await runner.RunAsync(
                "ask for versioning", 0, (_, token) => client.GetBucketVersioningAsync(request, token), cancellationToken).ConfigureAwait(false);
            return found.VersioningConfig?.Status == VersionStatus.Enabled
                ? new ProbeFinding(Versions, true,
                    "on: what is overwritten or deleted from outside can be had back; our own deletes free versions with s3:DeleteObjectVersion only")
                : new ProbeFinding(Versions, true, "off: what is overwritten or deleted from outside is gone") { IsWarning = true };
        }
        catch (StoreException e)
        {
            return Unknown(Versions, "s3:GetBucketVersioning", e);
        }
    }

    private async ValueTask<ProbeFinding> LocksAsync(CancellationToken cancellationToken)
    {
        GetObjectLockConfigurationResponse? found;
        try
        {
            var request = new GetObjectLockConfigurationRequest { BucketName = options.Bucket };
            found = await runner.RunAsync("ask for Object Lock", 0, (_, token) => AskAsync(request, token), cancellationToken)
                .ConfigureAwait(false);
        }
        catch (StoreException e)
        {
            return Unknown(Locks, "s3:GetBucketObjectLockConfiguration", e);
        }

        var enabled = found?.ObjectLockConfiguration?.ObjectLockEnabled == ObjectLockEnabled.Enabled;
        if (options.Lock is not { } wanted)
            return new ProbeFinding(Locks, true, enabled
                ? "the bucket has Object Lock, but storage.immutability is not set, so nothing is locked"
                : "the bucket has no Object Lock: whoever can delete here can destroy the backups")
            {
                IsWarning = true,
            };
        if (!enabled) return new ProbeFinding(Locks, false, "the bucket has no Object Lock: enable it, or remove storage.immutability");
        var mode = wanted.Mode == LockMode.Compliance ? "compliance" : "governance";
        return found!.ObjectLockConfiguration.Rule?.DefaultRetention is not null
            ? new ProbeFinding(Locks, true,
                "the bucket's default retention locks everything, also what must be free to go; remove the default: storage.immutability suffices")
            {
                IsWarning = true,
            }
            : new ProbeFinding(Locks, true, $"Object Lock; new objects are locked for {wanted.Period.TotalDays:0} days ({mode})");
    }

    /// <summary>Null: the bucket has none.</summary>
    private async Task<GetObjectLockConfigurationResponse?> AskAsync(GetObjectLockConfigurationRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await client.GetObjectLockConfigurationAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound && e.ErrorCode != "NoSuchBucket")
        {
            return null;
        }
    }

    private static ProbeFinding Unknown(string what, string permission, StoreException e) => new(
        what, true, e is StoreAccessException ? $"cannot be seen; permit {permission} to have it checked" : $"cannot be seen: {e.Message}")
    {
        IsWarning = true,
    };
}
