using FunctionsBackup.Repository.Crypto;
using FunctionsBackup.Repository.Removals;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>Adds and removes key slots and epochs. Every change proves first, with a credential, that somebody can still get in.</summary>
public sealed class KeyAdministration(IObjectStore store, TimeProvider time)
{
    /// <summary>What a guess at an added passphrase costs.</summary>
    public ScryptParameters Scrypt { get; init; } = ScryptParameters.Default;

    /// <summary>Ids of slots that were lost: nobody removed them, and they are not there. Needs no key.</summary>
    public async ValueTask<IReadOnlyList<string>> ListLostSlotsAsync(CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        return await new SlotWitnesses(store, config.KeyGeneration).FindLostAsync(cancellationToken)
            .Select(name => name[(name.LastIndexOf('/') + 1)..]).ToListAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>All slots; needs no key.</summary>
    public async ValueTask<KeySlotList> ListSlotsAsync(CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        return await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Adds a slot for a passphrase, a recovery key or a key of a service.</summary>
    /// <param name="credential">Opens the repository today; not <see cref="KeyCredential.Clear"/>.</param>
    /// <param name="added">What shall open it too; not <see cref="KeyCredential.Clear"/>, which would give the encryption away.</param>
    /// <param name="label">What people call it.</param>
    /// <param name="cancellationToken">Stops before the slot is created.</param>
    public async ValueTask<KeySlot> AddSlotAsync(
        KeyCredential credential, KeyCredential added, string label, CancellationToken cancellationToken)
    {
        if (added is KeyCredential.ClearCredential)
            throw new RepositoryException("An open slot cannot be added: it would undo the encryption. Make a new repository instead.");
        if (credential is KeyCredential.ClearCredential)
        {
            throw new RepositoryException(
                "The repository is not encrypted: its master key lies open, and another slot would protect nothing. Make a new repository "
                + "instead.");
        }

        var (config, master) = await OpenAsync(credential, cancellationToken).ConfigureAwait(false);
        using (master)
        {
            // The keys are loaded to be sure that this master key is the repository's own.
            using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
            try
            {
                return await AddSlotAsync(config, added, label, master, cancellationToken).ConfigureAwait(false);
            }
            catch (KeyServiceException e)
            {
                // The repository was opened: another credential would not help.
                throw new RepositoryException($"The key slot was not added. {e.Message}", e);
            }
        }
    }

    /// <summary>Removes a slot.</summary>
    /// <param name="credential">Must open a slot other than the removed one.</param>
    /// <param name="id">The slot's id, all of it.</param>
    /// <param name="cancellationToken">Stops before the slot is removed.</param>
    /// <exception cref="RepositoryException">
    /// There is no such slot, or it is the last one, or the last that a person can open without a service.
    /// </exception>
    public async ValueTask RemoveSlotAsync(KeyCredential credential, string id, CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        var slots = await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
        var removed = slots.Usable.FirstOrDefault(slot => slot.Id == id);
        var witnesses = new SlotWitnesses(store, config.KeyGeneration);
        if (removed is null && slots.Unusable.All(slot => slot.Id != id)
            && !await witnesses.FindLostAsync(cancellationToken).AnyAsync(lost => lost.EndsWith(id, StringComparison.Ordinal), cancellationToken)
                .ConfigureAwait(false))
            throw new RepositoryException($"There is no key slot {id}: list them with their ids first.");
        if (slots.Usable.All(slot => slot.Id == id))
            throw new RepositoryException($"Key slot {id} is the last one: without it nobody could read the data. Add another one first.");
        if (removed is { IsForPeople: true } && !slots.Usable.Any(slot => slot.Id != id && slot.IsForPeople))
        {
            throw new RepositoryException(
                $"Key slot {id} is the last one that a person can open: where the services of the others are gone, nobody could read the data. "
                + "Add a passphrase or a recovery key first.");
        }

        var (witness, master) = await WitnessAsync(slots, credential, id, cancellationToken).ConfigureAwait(false);
        using (master)
        {
            using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
            var prefix = KeyObjects.Slots(config.KeyGeneration);
            await NoteRemovalAsync(config, ring, id, cancellationToken).ConfigureAwait(false);
            await witnesses.RemoveSlotAsync(id, cancellationToken).ConfigureAwait(false);
            // Somebody else may have removed the other slot at the same moment, opening with this one.
            var remaining = await store.FindAsync(prefix + witness.Id, CancellationToken.None).ConfigureAwait(false);
            // So may the other slots that people can open.
            if (removed is null) return;
            var people = !removed.IsForPeople || (await KeySlotList.LoadAsync(store, config, CancellationToken.None).ConfigureAwait(false))
                .Usable.Any(slot => slot.IsForPeople);
            if (remaining is not null && people) return;
            await CreateAsync(prefix + id, removed.ToJson(), CancellationToken.None).ConfigureAwait(false);
            await witnesses.AddAsync(id, removed.ToJson(), CancellationToken.None).ConfigureAwait(false);
            throw new RepositoryException(
                $"Key slot {id} was kept: {(remaining is null ? $"the other slot {witness.Id} was" : "the other slots for people were")} removed "
                + "meanwhile. List the slots and try again.");
        }
    }

    /// <summary>Starts a new epoch: objects written by later sessions use a new data key; older ones stay readable.</summary>
    /// <returns>The number of the new epoch.</returns>
    public async ValueTask<uint> AddEpochAsync(KeyCredential credential, CancellationToken cancellationToken)
    {
        var (config, master) = await OpenAsync(credential, cancellationToken).ConfigureAwait(false);
        using (master) return await AddEpochAsync(config, master, cancellationToken).ConfigureAwait(false);
    }

    internal async ValueTask<KeySlot> AddSlotAsync(
        RepositoryConfig config, KeyCredential added, string label, SecretBytes master, CancellationToken cancellationToken)
    {
        var slot = await KeySlot.CreateAsync(added, label, RepositoryScope.Of(config), master, Scrypt, time.GetUtcNow(), cancellationToken)
            .ConfigureAwait(false);
        await CreateAsync(KeyObjects.Slots(config.KeyGeneration) + slot.Id, slot.ToJson(), cancellationToken).ConfigureAwait(false);
        await new SlotWitnesses(store, config.KeyGeneration).AddAsync(slot.Id, slot.ToJson(), cancellationToken).ConfigureAwait(false);
        return slot;
    }

    internal async ValueTask<uint> AddEpochAsync(RepositoryConfig config, SecretBytes master, CancellationToken cancellationToken)
    {
        using var ring = await KeyRingFactory.LoadAsync(store, config, master, cancellationToken).ConfigureAwait(false);
        if (ring.CurrentEpoch >= KeyObjects.MaximumEpoch)
            throw new RepositoryException($"The repository has {KeyObjects.MaximumEpoch} epochs already, and cannot have more.");
        using var key = SecretBytes.Random(KeyDerivation.KeySize);
        var epoch = ring.CurrentEpoch + 1;
        var name = KeyObjects.Epoch(config.KeyGeneration, epoch);
        var record = KeyRecord.Seal(KeyRecord.EpochKind, name, RepositoryScope.Of(config), master.Span, key.Span, time.GetUtcNow());
        await CreateAsync(name, record, cancellationToken).ConfigureAwait(false);
        return epoch;
    }

    private static async ValueTask<(KeySlot Slot, SecretBytes Master)> WitnessAsync(
        KeySlotList slots, KeyCredential credential, string id, CancellationToken cancellationToken)
    {
        try
        {
            return await slots.OpenAsync(credential, cancellationToken, except: id).ConfigureAwait(false);
        }
        catch (WrongKeyException error)
        {
            throw new WrongKeyException(
                $"Removing key slot {id} needs the key of another slot, so that one remains. {error.Message}");
        }
    }

    private async ValueTask<(RepositoryConfig Config, SecretBytes Master)> OpenAsync(
        KeyCredential credential, CancellationToken cancellationToken)
    {
        var config = await RepositoryConfig.LoadAsync(store, cancellationToken).ConfigureAwait(false);
        var slots = await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
        return (config, (await slots.OpenAsync(credential, cancellationToken).ConfigureAwait(false)).MasterKey);
    }

    private async ValueTask CreateAsync(string name, byte[] content, CancellationToken cancellationToken)
    {
        if (!await KeyObjects.CreateAsync(store, name, content, cancellationToken).ConfigureAwait(false))
            throw new RepositoryException($"The object {name} was created by somebody else just now: try again.");
    }

    /// <summary>Says that a slot is about to be removed on purpose: replicas remove it too, or what was revoked would open them.</summary>
    internal ValueTask NoteRemovalAsync(RepositoryConfig config, KeyRing ring, string id, CancellationToken cancellationToken) =>
        new RemovalRecords(store, new SealedObjects(store, ring, config.RepositoryId))
            .AddAsync([KeyObjects.Slots(config.KeyGeneration) + id], time, cancellationToken);
}
