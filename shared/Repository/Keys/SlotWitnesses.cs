using System.Runtime.CompilerServices;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// Witnesses of key slots: <c>keys/GENERATION/witness/ID</c> is a copy of the slot ID, made after it and removed before it, so that a lost
/// slot is told from a removed one and can be put back. A slot without one is from an older program, or its maker was interrupted.
/// </summary>
internal sealed class SlotWitnesses(IObjectStore store, string generation)
{
    private readonly string _slots = KeyObjects.Slots(generation);
    private readonly string _witnesses = KeyObjects.SlotWitnesses(generation);

    /// <summary>Makes the witness of a slot that was created just now.</summary>
    public async ValueTask AddAsync(string id, byte[] slot, CancellationToken cancellationToken)
    {
        await KeyObjects.CreateAsync(store, _witnesses + id, slot, cancellationToken).ConfigureAwait(false);
        // A copy must not outlive its slot: removing one is how people revoke a passphrase.
        if (await store.FindAsync(_slots + id, CancellationToken.None).ConfigureAwait(false) is null)
            await store.DeleteOrHideAsync(_witnesses + id, CancellationToken.None).ConfigureAwait(false);
    }

    /// <summary>Removes a slot: first its witness.</summary>
    public async ValueTask RemoveSlotAsync(string id, CancellationToken cancellationToken)
    {
        await store.DeleteOrHideAsync(_witnesses + id, cancellationToken).ConfigureAwait(false);
        await store.DeleteOrHideAsync(_slots + id, cancellationToken).ConfigureAwait(false);
        await store.DeleteOrHideAsync(_witnesses + id, CancellationToken.None).ConfigureAwait(false); // one that was made between the two
    }

    /// <summary>Names of slots that were lost: nobody removed them, and they are not there.</summary>
    public async IAsyncEnumerable<string> FindLostAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var witnessed = await IdsAsync(_witnesses, cancellationToken).ConfigureAwait(false);
        foreach (var id in witnessed)
            if (await store.FindAsync(_slots + id, cancellationToken).ConfigureAwait(false) is null
                && await store.FindAsync(_witnesses + id, cancellationToken).ConfigureAwait(false) is not null)
                yield return _slots + id;
    }

    /// <summary>Copies of the slots that are lost or damaged: to get in when no other slot opens.</summary>
    public async ValueTask<IReadOnlyList<KeySlot>> ReadSparesAsync(CancellationToken cancellationToken)
    {
        var slots = new List<KeySlot>();
        foreach (var id in await IdsAsync(_witnesses, cancellationToken).ConfigureAwait(false))
            if (await ReadSlotAsync(_slots, id, cancellationToken).ConfigureAwait(false) is null
                && await ReadSlotAsync(_witnesses, id, cancellationToken).ConfigureAwait(false) is { } copy)
                slots.Add(copy.Slot);
        return slots;
    }

    /// <summary>Makes the witnesses that are missing.</summary>
    public async ValueTask AdoptAsync(CancellationToken cancellationToken)
    {
        var witnessed = await IdsAsync(_witnesses, cancellationToken).ConfigureAwait(false);
        foreach (var id in (await IdsAsync(_slots, cancellationToken).ConfigureAwait(false)).Except(witnessed))
            if (await ReadSlotAsync(_slots, id, cancellationToken).ConfigureAwait(false) is { } slot)
                await AddAsync(id, slot.Bytes, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Puts lost and damaged slots back from their copies, and renews damaged copies.</summary>
    /// <returns>Names of the slots put back.</returns>
    public async ValueTask<IReadOnlyList<string>> MendAsync(CancellationToken cancellationToken)
    {
        var putBack = new List<string>();
        foreach (var id in await IdsAsync(_witnesses, cancellationToken).ConfigureAwait(false))
        {
            var slot = await ReadSlotAsync(_slots, id, cancellationToken).ConfigureAwait(false);
            var copy = await ReadSlotAsync(_witnesses, id, cancellationToken).ConfigureAwait(false);
            if (slot is null && copy is not null)
            {
                await store.DeleteOrHideAsync(_slots + id, cancellationToken).ConfigureAwait(false);
                await KeyObjects.CreateAsync(store, _slots + id, copy.Value.Bytes, cancellationToken).ConfigureAwait(false);
                putBack.Add(_slots + id);
            }
            else if (copy is null)
            {
                await store.DeleteOrHideAsync(_witnesses + id, cancellationToken).ConfigureAwait(false);
            }
        }

        await AdoptAsync(cancellationToken).ConfigureAwait(false);
        return putBack;
    }

    /// <summary>What is wrong with the copies: damaged, or not of the slot that they are beside.</summary>
    public async IAsyncEnumerable<DamageException> FindDamageAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var id in await IdsAsync(_witnesses, cancellationToken).ConfigureAwait(false))
        {
            var name = _witnesses + id;
            var copy = await ReadSlotAsync(_witnesses, id, cancellationToken).ConfigureAwait(false);
            var slot = await ReadSlotAsync(_slots, id, cancellationToken).ConfigureAwait(false);
            if (copy is null || (slot is not null && !slot.Value.Bytes.AsSpan().SequenceEqual(copy.Value.Bytes)))
                yield return new DamageException(name, $"{name} is not the copy of a key slot that it was; 'fbackup repository repair' renews it.");
        }
    }

    private async ValueTask<List<string>> IdsAsync(string prefix, CancellationToken cancellationToken) =>
        await store.ListAsync(prefix, cancellationToken).Select(i => i.Name[prefix.Length..]).Take(KeySlotList.Maximum)
            .ToListAsync(cancellationToken).ConfigureAwait(false);

    private async ValueTask<(KeySlot Slot, byte[] Bytes)?> ReadSlotAsync(string prefix, string id, CancellationToken cancellationToken)
    {
        if (await KeyObjects.ReadAsync(store, prefix + id, cancellationToken).ConfigureAwait(false) is not { } bytes) return null;
        try
        {
            return (KeySlot.Parse(id, bytes), bytes);
        }
        catch (InvalidDataException)
        {
            return null; // verification names it
        }
    }
}
