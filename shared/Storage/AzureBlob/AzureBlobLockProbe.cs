using Azure.Storage.Blobs;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Remote;

namespace FunctionsBackup.Storage.AzureBlob;

/// <summary>Asks the container whether versions can be made immutable, and judges that by what the configuration wants.</summary>
internal sealed class AzureBlobLockProbe(BlobContainerClient container, AzureBlobStoreOptions options, RequestRunner runner)
{
    private const string Locks = "retention locks";

    public async ValueTask<ProbeFinding> RunAsync(CancellationToken cancellationToken)
    {
        bool supported, policy;
        try
        {
            var found = await runner.RunAsync(
                "look at the container", 0, (_, token) => container.GetPropertiesAsync(cancellationToken: token), cancellationToken)
                .ConfigureAwait(false);
            (supported, policy) = (found.Value.HasImmutableStorageWithVersioning == true, found.Value.HasImmutabilityPolicy == true);
        }
        catch (StoreException e)
        {
            return Warning($"cannot be seen: {e.Message}");
        }

        if (options.Lock is not { } wanted)
            return Warning(supported
                ? "the container supports immutable versions, but storage.immutability is not set, so nothing is locked"
                : "the container has no version-level immutability: whoever can delete here can destroy the backups");
        if (!supported)
            return new ProbeFinding(
                Locks, false, "the container has no version-level immutability: enable it (the account must keep versions), or remove storage.immutability");
        var mode = wanted.Mode == LockMode.Compliance ? "locked" : "unlocked";
        return policy
            ? Warning("a policy of the container locks everything, also what must be free to go; remove it: storage.immutability suffices")
            : new ProbeFinding(Locks, true, $"version-level immutability; new blobs get a policy of {wanted.Period.TotalDays:0} days ({mode})");
    }

    private static ProbeFinding Warning(string finding) => new(Locks, true, finding) { IsWarning = true };
}
