using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// Wraps the master key anew and starts a new epoch, while others work. Nobody is locked out at any moment: a slot goes only after the one
/// in its place has been read back and opened. Broken off in between, it leaves a slot too many at most, and another call does the rest.
/// </summary>
public sealed class KeyRotator(IObjectStore store, KeyAdministration administration)
{
    /// <summary>Replaces every slot that is of one of <paramref name="credentials"/>, with the newest version of a service's key.</summary>
    /// <param name="credentials">At least one must open the repository.</param>
    /// <param name="cancellationToken">Stops between slots.</param>
    /// <exception cref="WrongKeyException">None opens any slot.</exception>
    /// <exception cref="KeyServiceException">A service refused to wrap, or none of the keys could be asked.</exception>
    public async ValueTask<KeyRotation> RotateAsync(IReadOnlyList<KeyCredential> credentials, CancellationToken cancellationToken)
    {
        if (credentials.Any(c => c is KeyCredential.ClearCredential))
            throw new RepositoryException("The repository is not encrypted: its master key lies open, and there is nothing to rotate.");
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        var slots = await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
        using var master = await OpenAsync(slots, credentials, cancellationToken).ConfigureAwait(false);
        // The keys are loaded to be sure that this master key is the repository's own.
        using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
        var rewrapped = new List<RewrappedSlot>();
        var kept = new List<KeySlot>();
        foreach (var slot in slots.Usable)
        {
            if (await OfAsync(slot, credentials, RepositoryScope.Of(config), cancellationToken).ConfigureAwait(false) is { } credential)
                rewrapped.Add(new(slot, await RewrapAsync(config, ring, slot, credential, master, cancellationToken).ConfigureAwait(false)));
            else
                kept.Add(slot);
        }

        return new KeyRotation(await administration.AddEpochAsync(config, master, cancellationToken).ConfigureAwait(false), rewrapped, kept);
    }

    private static async ValueTask<SecretBytes> OpenAsync(
        KeySlotList slots, IReadOnlyList<KeyCredential> credentials, CancellationToken cancellationToken)
    {
        ExceptionDispatchInfo? failure = null;
        foreach (var credential in credentials)
        {
            try
            {
                return (await slots.OpenAsync(credential, cancellationToken).ConfigureAwait(false)).MasterKey;
            }
            catch (RepositoryException e) when (e is WrongKeyException or KeyServiceException)
            {
                failure ??= ExceptionDispatchInfo.Capture(e);
            }
        }

        failure?.Throw();
        throw new ArgumentException("No credential was given.", nameof(credentials));
    }

    /// <summary>
    /// The credential that a slot is for. A slot of a service's key is not asked to open: the version that wrapped it may be disabled
    /// already, which is a good reason to rotate.
    /// </summary>
    private static async ValueTask<KeyCredential?> OfAsync(
        KeySlot slot, IReadOnlyList<KeyCredential> credentials, RepositoryScope scope, CancellationToken cancellationToken)
    {
        foreach (var credential in credentials.Where(c => c.SlotKind == slot.Kind))
        {
            if (credential is KeyCredential.ServiceCredential { KeyService: { } service })
            {
                if (service.Owns(slot.Service!.Key)) return credential;
                continue;
            }

            using var opened = await slot.TryOpenAsync(credential, scope, cancellationToken).ConfigureAwait(false);
            if (opened is not null) return credential;
        }

        return null;
    }

    private async ValueTask<KeySlot> RewrapAsync(
        RepositoryConfig config, KeyRing ring, KeySlot old, KeyCredential credential, SecretBytes master, CancellationToken cancellationToken)
    {
        var added = await administration.AddSlotAsync(config, credential, old.Label, master, cancellationToken).ConfigureAwait(false);
        var name = KeyObjects.Slots(config.KeyGeneration) + added.Id;
        var bytes = await KeyObjects.ReadAsync(store, name, cancellationToken).ConfigureAwait(false)
            ?? throw new RepositoryException($"The new key slot {added.Id} is not in the store, so the old one was kept; try again.");
        using var opened = await KeySlot.Parse(added.Id, bytes).TryOpenAsync(credential, RepositoryScope.Of(config), cancellationToken)
            .ConfigureAwait(false);
        if (opened is null || !CryptographicOperations.FixedTimeEquals(opened.Span, master.Span))
            throw new RepositoryException($"The new key slot {added.Id} does not open, so the old one was kept; remove it and try again.");
        await administration.NoteRemovalAsync(config, ring, old.Id, cancellationToken).ConfigureAwait(false);
        await new SlotWitnesses(store, config.KeyGeneration).RemoveSlotAsync(old.Id, cancellationToken).ConfigureAwait(false);
        return added;
    }
}
