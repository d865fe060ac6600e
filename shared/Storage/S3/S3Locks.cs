using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.S3;

/// <summary>
/// Object Lock. A lock that was asked for with a put is not believed until it was seen once: some servers ignore it, in particular on
/// uploads in parts; there it is set afterwards.
/// </summary>
internal sealed class S3Locks(IAmazonS3 client, S3StoreOptions options, RequestRunner runner, TimeProvider time)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    // Whether a lock takes that was asked for with a put, and with an upload in parts; 0: not known, 1: yes, 2: no.
    private int _putTakes, _partsTake;

    /// <summary>The lock of a new object of this name; null: none.</summary>
    public ObjectLock? Of(string name) =>
        options.Lock is { } wanted && wanted.Covers(name) ? new ObjectLock(wanted.Mode, wanted.Until(time.GetUtcNow())) : null;

    /// <summary>After an object was created: makes sure that it is locked.</summary>
    public async ValueTask ConfirmAsync(string name, string key, ObjectLock wanted, bool inParts, CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref inParts ? ref _partsTake : ref _putTakes);
        if (known == 1) return;
        if (known == 0)
        {
            var head = await HeadAsync(name, key, cancellationToken).ConfigureAwait(false);
            var takes = head is not null && Of(head) is { } set && set.Until >= wanted.Until - Tolerance;
            Volatile.Write(ref inParts ? ref _partsTake : ref _putTakes, takes ? 1 : 2);
            if (takes) return;
        }

        await SetAsync(name, key, wanted, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ObjectLock?> FindAsync(string name, string key, CancellationToken cancellationToken) =>
        await HeadAsync(name, key, cancellationToken).ConfigureAwait(false) is { } head ? Active(head) : null;

    /// <summary>The lock that the answer tells of, if it has not ended.</summary>
    public ObjectLock? Active(GetObjectMetadataResponse head) => Of(head) is { } found && found.Until > time.GetUtcNow() ? found : null;

    public async ValueTask<DateTimeOffset> ExtendAsync(string name, string key, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var head = await HeadAsync(name, key, cancellationToken).ConfigureAwait(false)
            ?? throw new ObjectNotFoundException(name, $"bucket {options.Bucket}");
        var current = Of(head);
        if (current is not null && current.Until >= until) return current.Until;
        // A lock that is there keeps its mode: it cannot be weakened, and to strengthen it is a person's decision.
        var mode = current is { } there && there.Until > time.GetUtcNow() ? there.Mode : options.Lock?.Mode ?? LockMode.Governance;
        try
        {
            await SetAsync(name, key, new ObjectLock(mode, until), cancellationToken).ConfigureAwait(false);
            return until;
        }
        catch (StoreAccessException)
        {
            // To shorten is refused as well: somebody may have set a later end since we looked.
            if (await FindAsync(name, key, cancellationToken).ConfigureAwait(false) is { } now && now.Until >= until) return now.Until;
            throw;
        }
    }

    private async ValueTask SetAsync(string name, string key, ObjectLock wanted, CancellationToken cancellationToken)
    {
        var request = new PutObjectRetentionRequest
        {
            BucketName = options.Bucket,
            Key = key,
            Retention = new ObjectLockRetention
            {
                Mode = wanted.Mode == LockMode.Compliance ? ObjectLockRetentionMode.Compliance : ObjectLockRetentionMode.Governance,
                RetainUntilDate = wanted.Until.UtcDateTime,
            },
        };
        await runner.RunAsync(
            $"lock object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    return await client.PutObjectRetentionAsync(request, token).ConfigureAwait(false);
                }
                catch (AmazonS3Exception e) when (S3Errors.IsWithoutLocks(e))
                {
                    throw NotToBeHad(name, options.Bucket, e);
                }
            },
            cancellationToken).ConfigureAwait(false);
    }

    public static StoreException NotToBeHad(string name, string bucket, AmazonS3Exception e) => new(
        $"Cannot lock object {name} in bucket {bucket}: the bucket has no Object Lock ({e.ErrorCode}); enable it for the bucket, or remove "
        + "storage.immutability.",
        e);

    private async ValueTask<GetObjectMetadataResponse?> HeadAsync(string name, string key, CancellationToken cancellationToken) =>
        await runner.RunAsync(
            $"look at object {name}", 0,
            async (_, token) =>
            {
                try
                {
                    return await client.GetObjectMetadataAsync(options.Bucket, key, token).ConfigureAwait(false);
                }
                catch (AmazonS3Exception e) when (e.StatusCode == HttpStatusCode.NotFound)
                {
                    return null;
                }
            },
            cancellationToken).ConfigureAwait(false);

    private static ObjectLock? Of(GetObjectMetadataResponse head)
    {
        var mode = head.ObjectLockMode == ObjectLockMode.Compliance ? LockMode.Compliance : LockMode.Governance;
        if (head.ObjectLockLegalHoldStatus == ObjectLockLegalHoldStatus.On) return new ObjectLock(mode, DateTimeOffset.MaxValue);
        return head.ObjectLockRetainUntilDate is { } until && until > DateTime.UnixEpoch
            ? new ObjectLock(mode, new DateTimeOffset(until.ToUniversalTime()))
            : null;
    }
}
