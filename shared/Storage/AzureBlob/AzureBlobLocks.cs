using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>
/// Immutability policies of versions. A policy that was asked for with an upload is not believed until it was seen once: the emulator
/// ignores it silently.
/// </summary>
internal sealed class AzureBlobLocks(BlobContainerClient container, AzureBlobStoreOptions options, RequestRunner runner, TimeProvider time)
{
    private static readonly TimeSpan Tolerance = TimeSpan.FromSeconds(1);

    private int _takes; // 0: not known, 1: an upload's policy takes, 2: it does not

    /// <summary>The lock of a new object of this name; null: none.</summary>
    public ObjectLock? Of(string name) =>
        options.Lock is { } wanted && wanted.Covers(name) ? new ObjectLock(wanted.Mode, wanted.Until(time.GetUtcNow())) : null;

    /// <summary>After a blob was created: makes sure that it is locked.</summary>
    public async ValueTask ConfirmAsync(string name, string key, ObjectLock wanted, CancellationToken cancellationToken)
    {
        var known = Volatile.Read(ref _takes);
        if (known == 1) return;
        if (known == 0)
        {
            var head = await HeadAsync(name, key, cancellationToken).ConfigureAwait(false);
            var takes = head is not null && Of(head) is { } set && set.Until >= wanted.Until - Tolerance;
            Volatile.Write(ref _takes, takes ? 1 : 2);
            if (takes) return;
        }

        await SetAsync(name, key, wanted, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ObjectLock?> FindAsync(string name, string key, CancellationToken cancellationToken) =>
        await HeadAsync(name, key, cancellationToken).ConfigureAwait(false) is { } head ? Active(head) : null;

    /// <summary>The lock that the properties tell of, if it has not ended.</summary>
    public ObjectLock? Active(BlobProperties head) => Of(head) is { } found && found.Until > time.GetUtcNow() ? found : null;

    /// <summary>An unlocked policy could be shortened, so that it is looked at first.</summary>
    public async ValueTask<DateTimeOffset> ExtendAsync(string name, string key, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var head = await HeadAsync(name, key, cancellationToken).ConfigureAwait(false)
            ?? throw new ObjectNotFoundException(name, $"container {options.Container}");
        var current = Of(head);
        if (current is not null && current.Until >= until) return current.Until;
        // A policy that is there keeps its mode: it cannot be weakened, and to strengthen it is a person's decision.
        var mode = current is { } there && there.Until > time.GetUtcNow() ? there.Mode : options.Lock?.Mode ?? LockMode.Governance;
        await SetAsync(name, key, new ObjectLock(mode, until), cancellationToken).ConfigureAwait(false);
        return until;
    }

    public static BlobImmutabilityPolicy? Policy(ObjectLock? wanted) => wanted is null ? null : new BlobImmutabilityPolicy
    {
        ExpiresOn = wanted.Until,
        PolicyMode = wanted.Mode == LockMode.Compliance ? BlobImmutabilityPolicyMode.Locked : BlobImmutabilityPolicyMode.Unlocked,
    };

    private async ValueTask SetAsync(string name, string key, ObjectLock wanted, CancellationToken cancellationToken) =>
        await runner.RunAsync(
            $"lock object {name}", 0,
            (_, token) => container.GetBlobClient(key).SetImmutabilityPolicyAsync(Policy(wanted), cancellationToken: token), cancellationToken)
            .ConfigureAwait(false);

    private async ValueTask<BlobProperties?> HeadAsync(string name, string key, CancellationToken cancellationToken) => await runner.RunAsync(
        $"look at object {name}", 0,
        async (_, token) =>
        {
            try
            {
                var found = await container.GetBlobClient(key).GetPropertiesAsync(cancellationToken: token).ConfigureAwait(false);
                return found.Value;
            }
            catch (RequestFailedException e) when (AzureBlobErrors.IsMissing(e))
            {
                return null;
            }
        },
        cancellationToken).ConfigureAwait(false);

    private static ObjectLock? Of(BlobProperties head)
    {
        var mode = head.ImmutabilityPolicy?.PolicyMode == BlobImmutabilityPolicyMode.Locked ? LockMode.Compliance : LockMode.Governance;
        if (head.HasLegalHold) return new ObjectLock(mode, DateTimeOffset.MaxValue);
        return head.ImmutabilityPolicy?.ExpiresOn is { } until ? new ObjectLock(mode, until) : null;
    }
}
