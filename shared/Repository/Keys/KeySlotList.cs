using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>The key slots of a repository, as they were when read.</summary>
public sealed class KeySlotList
{
    /// <summary>A store that holds more has them from somebody else; each costs a slow key derivation.</summary>
    internal const int Maximum = 64;

    private readonly RepositoryConfig _config;

    private KeySlotList(RepositoryConfig config, IReadOnlyList<KeySlot> usable, IReadOnlyList<UnusableSlot> unusable) =>
        (_config, Usable, Unusable) = (config, usable, unusable);

    public IReadOnlyList<KeySlot> Usable { get; }

    /// <summary>Slots that are damaged, or of a kind or version not known here. They lock nobody out of the others.</summary>
    public IReadOnlyList<UnusableSlot> Unusable { get; }

    public static async ValueTask<KeySlotList> LoadAsync(IObjectStore store, RepositoryConfig config, CancellationToken cancellationToken)
    {
        var usable = new List<KeySlot>();
        var unusable = new List<UnusableSlot>();
        var prefix = KeyObjects.Slots(config.KeyGeneration);
        await foreach (var found in store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            if (usable.Count + unusable.Count == Maximum)
                throw new RepositoryException($"There are more than {Maximum} objects in {prefix}: remove those that are not yours.");
            var bytes = await KeyObjects.ReadAsync(store, found.Name, cancellationToken).ConfigureAwait(false);
            // Null: removed since it was listed.
            if (bytes is null) continue;
            var id = found.Name[prefix.Length..];
            try
            {
                usable.Add(KeySlot.Parse(id, bytes));
            }
            catch (InvalidDataException error)
            {
                unusable.Add(new(id, error.Message));
            }
        }

        return new(config, usable, unusable);
    }

    /// <summary>The first slot that opens, and the master key, which the caller disposes of.</summary>
    /// <exception cref="WrongKeyException">None opens.</exception>
    /// <exception cref="KeyServiceException">None opens, and the service of the credential refused one, or could not be reached.</exception>
    /// <exception cref="DamageException">There is no usable slot at all.</exception>
    internal async ValueTask<(KeySlot Slot, SecretBytes MasterKey)> OpenAsync(
        KeyCredential credential, CancellationToken cancellationToken, string? except = null)
    {
        var scope = RepositoryScope.Of(_config);
        KeyServiceException? refusal = null;
        foreach (var slot in Usable)
        {
            if (slot.Id == except) continue;
            try
            {
                if (await slot.TryOpenAsync(credential, scope, cancellationToken).ConfigureAwait(false) is { } master) return (slot, master);
            }
            catch (KeyServiceException e)
            {
                refusal ??= e; // another slot may be of a version of the key that still works
            }
        }

        if (refusal is not null) throw refusal;
        if (Usable.Count > 0) throw new WrongKeyException(Explain(credential));
        var prefix = KeyObjects.Slots(_config.KeyGeneration);
        throw new DamageException(
            prefix, $"No usable key slot is left in {prefix}{Broken()}: put them back from a replica, the data cannot be read without.");
    }

    private string Explain(KeyCredential credential)
    {
        var kinds = string.Join(", ", Usable.GroupBy(slot => slot.Kind).Select(kind => $"{kind.Key} ({kind.Count()})"));
        var has = $"The repository has these key slots: {kinds}{Broken()}.";
        var others = Usable.Any(slot => slot.Kind == credential.SlotKind);
        return credential switch
        {
            KeyCredential.PassphraseCredential when others =>
                $"The passphrase is wrong. {has} Check what keys.passphrase refers to (env:NAME or file:PATH), or use the recovery key.",
            KeyCredential.PassphraseCredential =>
                $"A passphrase was given, but none opens this repository. {has} Is this the right repository, and its encryption setting?",
            KeyCredential.RecoveryCredential when others => $"This is a recovery key, but of another repository or an old one. {has}",
            KeyCredential.RecoveryCredential => $"A recovery key was given, but none opens this repository. {has}",
            KeyCredential.ServiceCredential { KeyService: { } service } when !others =>
                $"No key slot of this repository is for {service.Key}. {has} Add one with 'fbackup repository keys add', opening with another key.",
            KeyCredential.ServiceCredential { KeyService: { } service } when Usable.Any(s => s.Service is { } its && service.Owns(its.Key)) =>
                $"{service.Key} unwrapped a key slot, but not this repository's master key: the slot was changed or is another repository's. {has}",
            KeyCredential.ServiceCredential { KeyService: { } service } =>
                $"No key slot of this repository is for {service.Key}, but for "
                + $"{string.Join(", ", Usable.Where(s => s.Kind == service.SlotKind).Select(s => s.Service!.Key))}. {has}",
            _ when others => $"The open key slot is not this repository's. {has}",
            _ => $"The repository is encrypted and no key was given. {has} Set keys.passphrase to env:NAME or file:PATH, keys.keyvault or keys.kms.",
        };
    }

    private string Broken()
    {
        if (Unusable.Count == 0) return "";
        var prefix = KeyObjects.Slots(_config.KeyGeneration);
        return $", and unusable: {string.Join(", ", Unusable.Take(3).Select(slot => $"{prefix}{slot.Id} ({slot.Reason})"))}";
    }
}

/// <summary>A slot that cannot be used, and why.</summary>
public sealed record UnusableSlot(string Id, string Reason);
