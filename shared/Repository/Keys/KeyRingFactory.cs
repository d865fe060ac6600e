using System.Globalization;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>Unlocks a repository.</summary>
public static class KeyRingFactory
{
    /// <summary>Reads the config, opens a key slot with the credential, loads all keys and checks the config with them.</summary>
    /// <exception cref="NotARepositoryException">The store has no repository.</exception>
    /// <exception cref="NewerFormatException">It was made by a later program.</exception>
    /// <exception cref="WrongKeyException">No slot opens with this credential; says which kinds there are.</exception>
    /// <exception cref="KeyServiceException">The service of the credential refused, or could not be reached.</exception>
    /// <exception cref="DamageException">A key object is missing or damaged, or the config was changed.</exception>
    public static async ValueTask<UnlockedRepository> UnlockAsync(
        IObjectStore store, KeyCredential credential, CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        var slots = await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
        using var master = await OpenAsync(store, config, slots, credential, cancellationToken).ConfigureAwait(false);
        return new(config, await LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Slots are bound to what the config says: before the passphrase is blamed, the config is compared with its copy.</summary>
    private static async ValueTask<SecretBytes> OpenAsync(
        IObjectStore store, RepositoryConfig config, KeySlotList slots, KeyCredential credential, CancellationToken cancellationToken)
    {
        try
        {
            return (await slots.OpenAsync(credential, cancellationToken).ConfigureAwait(false)).MasterKey;
        }
        catch (Exception error) when (error is WrongKeyException or DamageException)
        {
            // The slot that this credential opens may be lost or damaged, and its copy still good: verification names it.
            foreach (var spare in await new SlotWitnesses(store, config.KeyGeneration).ReadSparesAsync(cancellationToken).ConfigureAwait(false))
                if (await spare.TryOpenAsync(credential, RepositoryScope.Of(config), cancellationToken).ConfigureAwait(false) is { } master)
                    return master;
            if (error is DamageException) throw;
            var name = KeyObjects.ConfigCopy(config.KeyGeneration);
            var copy = await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false);
            if (copy is null || copy.AsSpan().SequenceEqual(config.ToJson())) throw;
            throw new DamageException(
                KeyObjects.Config,
                $"No key slot opens, and the object config differs from its copy {name}: put config back from the copy, or from a replica.", error);
        }
    }

    internal static async ValueTask<KeyRing> LoadAsync(
        IObjectStore store, RepositoryConfig config, SecretBytes master, CancellationToken cancellationToken)
    {
        var scope = RepositoryScope.Of(config);
        var secretsName = KeyObjects.Secrets(config.KeyGeneration);
        var secretsBytes = await KeyObjects.ReadAsync(store, secretsName, cancellationToken).ConfigureAwait(false);
        using var secret = KeyRecord.Open(secretsBytes, KeyRecord.SecretsKind, secretsName, scope, master.Span);
        var epochs = new Dictionary<uint, SecretBytes>();
        try
        {
            var prefix = KeyObjects.Epochs(config.KeyGeneration);
            await foreach (var found in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
            {
                if (EpochOf(found.Name, prefix) is not { } epoch) continue;
                var bytes = await KeyObjects.ReadAsync(store, found.Name, cancellationToken).ConfigureAwait(false);
                epochs.Add(epoch, KeyRecord.Open(bytes, KeyRecord.EpochKind, found.Name, scope, master.Span));
            }

            // Epochs are never deleted, so the numbers have no gap.
            for (var epoch = 1u; epoch <= Math.Max(1, epochs.Count); epoch++)
                if (!epochs.ContainsKey(epoch))
                    KeyRecord.Open(null, KeyRecord.EpochKind, KeyObjects.Epoch(config.KeyGeneration, epoch), scope, master.Span);
            return CheckedRing(config, secret, epochs, new EpochSource(scope, master));
        }
        finally
        {
            foreach (var key in epochs.Values) key.Dispose();
        }
    }

    private static KeyRing CheckedRing(
        RepositoryConfig config, SecretBytes secret, Dictionary<uint, SecretBytes> epochs, EpochSource source)
    {
        var ring = new KeyRing(secret, epochs, source);
        try
        {
            config.Verify(ring);
            return ring;
        }
        catch
        {
            ring.Dispose();
            throw;
        }
    }

    private static uint? EpochOf(string name, string prefix) =>
        name.Length == prefix.Length + 6
        && uint.TryParse(name.AsSpan(prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var epoch) && epoch > 0
            ? epoch
            : null;
}

/// <summary>What unlocking gives; disposing wipes the keys.</summary>
public sealed record UnlockedRepository(RepositoryConfig Config, KeyRing Keys) : IDisposable
{
    public void Dispose() => Keys.Dispose();
}
