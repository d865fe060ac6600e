using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Keys;

/// <summary>
/// Looks at the key objects that opening a repository does not need: the other slots, and the copy of the config. They are missed only on
/// the day when they are the last.
/// </summary>
internal static class KeyCheck
{
    /// <summary>What is not as it was written.</summary>
    public static async ValueTask<IReadOnlyList<DamageException>> FindDamageAsync(
        IObjectStore store, RepositoryConfig config, CancellationToken cancellationToken)
    {
        var damage = new List<DamageException>();
        var copyName = KeyObjects.ConfigCopy(config.KeyGeneration);
        var copy = await KeyObjects.ReadAsync(store, copyName, cancellationToken).ConfigureAwait(false);
        if (!copy.AsSpan().SequenceEqual(config.ToJson()))
        {
            var what = copy is null ? "missing" : "not the copy of config that it was";
            damage.Add(new DamageException(copyName, $"The object {copyName} is {what}: put it back by copying config there."));
        }

        var slots = await KeySlotList.LoadAsync(store, config, cancellationToken).ConfigureAwait(false);
        foreach (var slot in slots.Unusable)
        {
            var name = KeyObjects.Slots(config.KeyGeneration) + slot.Id;
            damage.Add(new DamageException(
                name, $"The key slot {name} is damaged: {slot.Reason}. Put it back from a replica, or remove it and add a new one."));
        }

        await foreach (var broken in new SlotWitnesses(store, config.KeyGeneration).FindDamageAsync(cancellationToken).ConfigureAwait(false))
            damage.Add(broken);
        return damage;
    }
}
