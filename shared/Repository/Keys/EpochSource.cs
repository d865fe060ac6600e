using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>Opens the records of epochs that began after the repository was unlocked. Holds the key that wraps them until disposed.</summary>
internal sealed class EpochSource(RepositoryScope scope, SecretBytes masterKey) : IDisposable
{
    private readonly SecretBytes _wrapping = KeyRecord.Wrapping(masterKey.Span);

    /// <summary>The data key, which the caller disposes of, or null if there is no such epoch.</summary>
    /// <exception cref="DamageException">Its record is damaged.</exception>
    public async ValueTask<SecretBytes?> ReadAsync(IObjectStore store, uint epoch, CancellationToken cancellationToken)
    {
        if (epoch is 0 or > KeyObjects.MaximumEpoch) return null; // what a hostile object names
        var name = KeyObjects.Epoch(scope.KeyGeneration, epoch);
        return await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false) is { } bytes
            ? KeyRecord.Open(bytes, KeyRecord.EpochKind, name, scope, _wrapping)
            : null;
    }

    public void Dispose() => _wrapping.Dispose();
}
