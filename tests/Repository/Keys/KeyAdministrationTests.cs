using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.Repository.Keys;

public sealed class KeyAdministrationTests
{
    private static readonly KeyCredential Second = KeyCredential.Passphrase("second"u8.ToArray());

    [Fact]
    public async Task An_added_slot_opens_and_a_removed_one_does_not()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        var keys = Administration(store);
        var added = await keys.AddSlotAsync(NewRepository.Passphrase, Second, "night shift", default);
        using (await KeyRingFactory.UnlockAsync(store, Second, default)) { }
        var slots = await keys.ListSlotsAsync(default);
        slots.Usable.Select(slot => slot.Label).ShouldBe(["tests", "recovery key", "night shift"], ignoreOrder: true);
        slots.Unusable.ShouldBeEmpty();

        await keys.RemoveSlotAsync(NewRepository.Passphrase, added.Id, default);
        await Should.ThrowAsync<WrongKeyException>(async () => await KeyRingFactory.UnlockAsync(store, Second, default));
        using (await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default)) { }
    }

    [Fact]
    public async Task A_slot_is_removed_only_by_who_can_open_another()
    {
        await using var store = new InMemoryObjectStore();
        var (_, recovery) = await NewRepository.CreateAsync(store);
        var keys = Administration(store);
        var passphrase = (await keys.ListSlotsAsync(default)).Usable.Single(slot => slot.Kind == KeySlot.PassphraseKind);
        var error = await Should.ThrowAsync<WrongKeyException>(
            async () => await keys.RemoveSlotAsync(NewRepository.Passphrase, passphrase.Id, default));
        error.Message.ShouldContain("another slot");
        await Should.ThrowAsync<RepositoryException>(
            async () => await keys.RemoveSlotAsync(NewRepository.Passphrase, "no such slot", default));

        using var key = RecoveryKey.Parse(recovery);
        var credential = KeyCredential.Recovery(key);
        await keys.RemoveSlotAsync(credential, passphrase.Id, default);
        var last = (await keys.ListSlotsAsync(default)).Usable.Single();
        (await Should.ThrowAsync<RepositoryException>(async () => await keys.RemoveSlotAsync(credential, last.Id, default)))
            .Message.ShouldContain("last one");
        using (await KeyRingFactory.UnlockAsync(store, credential, default)) { }
    }

    [Fact]
    public async Task Two_removals_at_once_leave_a_slot()
    {
        await using var inner = new InMemoryObjectStore();
        var (result, _) = await NewRepository.CreateAsync(inner);
        var slots = (await Administration(inner).ListSlotsAsync(default)).Usable;
        var passphrase = slots.Single(slot => slot.Kind == KeySlot.PassphraseKind);
        var recovery = slots.Single(slot => slot.Kind == KeySlot.RecoveryKind);
        var prefix = $"keys/{result.Config.KeyGeneration}/slots/";
        var store = new FaultyObjectStore(inner);
        // While the recovery slot is being removed, somebody removes the passphrase's.
        store.Add(new Fault(StoreOperation.Delete, FaultKind.Wait)
        {
            Where = name =>
            {
                inner.DeleteAsync(prefix + passphrase.Id, default).AsTask().IsCompletedSuccessfully.ShouldBeTrue();
                return true;
            },
        });
        var error = await Should.ThrowAsync<RepositoryException>(
            async () => await Administration(store).RemoveSlotAsync(NewRepository.Passphrase, recovery.Id, default));
        error.Message.ShouldContain("was kept");
        inner.Names.ShouldContain(prefix + recovery.Id);
    }

    [Fact]
    public async Task Damaged_and_unknown_slots_lock_nobody_out()
    {
        await using var store = new InMemoryObjectStore();
        var (result, _) = await NewRepository.CreateAsync(store);
        var prefix = $"keys/{result.Config.KeyGeneration}/slots/";
        var good = store.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)).Select(store.Get)
            .Select(Encoding.UTF8.GetString).Single(text => text.Contains("scrypt"));
        store.Overwrite(prefix + "0-empty", []);
        store.Overwrite(prefix + "0-garbage", [1, 2, 3]);
        store.Overwrite(prefix + "0-kms", Encoding.UTF8.GetBytes(good.Replace("\"passphrase\"", "\"aws-kms\"")));
        store.Overwrite(prefix + "0-hungry", Encoding.UTF8.GetBytes(good.Replace("\"N\": 16", "\"N\": 16777216")));
        store.Overwrite(prefix + "0-newer", Encoding.UTF8.GetBytes(good.Replace("\"version\": 1", "\"version\": 2")));
        store.Overwrite(prefix + "0-elsewhere", Encoding.UTF8.GetBytes(good));
        store.Overwrite(prefix + "0-name", Encoding.UTF8.GetBytes(good));
        store.Flip(prefix + "0-name", good.IndexOf("\"check\"", StringComparison.Ordinal) + 2, 0x80); // no UTF-8 any more
        using (await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default)) { }
        var slots = await Administration(store).ListSlotsAsync(default);
        slots.Unusable.Select(slot => slot.Id).ShouldBe(["0-elsewhere", "0-empty", "0-garbage", "0-hungry", "0-kms", "0-name", "0-newer"]);
        slots.Unusable.Single(slot => slot.Id == "0-hungry").Reason.ShouldContain("scrypt");
        await Administration(store).RemoveSlotAsync(NewRepository.Passphrase, "0-garbage", default);
        store.Names.ShouldNotContain(prefix + "0-garbage");

        foreach (var name in store.Names.Where(name => name.StartsWith(prefix, StringComparison.Ordinal)))
            await store.DeleteAsync(name, default);
        using (await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default)) { } // by a slot's copy
        foreach (var name in store.Names.Where(name => name.Contains("/witness/", StringComparison.Ordinal)))
            await store.DeleteAsync(name, default);
        await Should.ThrowAsync<DamageException>(async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
    }

    [Fact]
    public async Task A_new_epoch_seals_what_is_new_and_the_old_stays_readable()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        using var before = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
        var old = new SealedObjects(store, before.Keys, before.Config.RepositoryId);
        await old.CreateAsync(SealedKind.Pin, "pins/old", "old"u8.ToArray(), default, default);

        (await Administration(store).AddEpochAsync(NewRepository.Passphrase, default)).ShouldBe(2u);
        using var after = await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default);
        after.Keys.CurrentEpoch.ShouldBe(2u);
        after.Keys.IdKey.SequenceEqual(before.Keys.IdKey).ShouldBeTrue("or nothing would be a duplicate any more");
        var both = new SealedObjects(store, after.Keys, after.Config.RepositoryId);
        await both.CreateAsync(SealedKind.Pin, "pins/new", "new"u8.ToArray(), default, default);
        (await both.ReadHeaderAsync(SealedKind.Pin, "pins/old", default)).ShouldBe("old"u8.ToArray());
        (await both.ReadHeaderAsync(SealedKind.Pin, "pins/new", default)).ShouldBe("new"u8.ToArray());
        // Who unlocked before the rotation goes on, and meets the new epoch.
        (await old.ReadHeaderAsync(SealedKind.Pin, "pins/new", default)).ShouldBe("new"u8.ToArray());
        before.Keys.CurrentEpoch.ShouldBe(2u);

        // The record of the first epoch is lost: found when unlocking, not when restoring.
        await store.DeleteAsync(store.Names.Single(name => name.EndsWith("epochs/000001", StringComparison.Ordinal)), default);
        await Should.ThrowAsync<DamageException>(async () => await KeyRingFactory.UnlockAsync(store, NewRepository.Passphrase, default));
    }

    [Fact]
    public async Task Open_repositories_take_no_further_slots()
    {
        await using var store = new InMemoryObjectStore();
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(new InitRequest { Encrypt = false }, default);
        await Should.ThrowAsync<RepositoryException>(
            async () => await Administration(store).AddSlotAsync(KeyCredential.Clear, Second, "", default));
        await using var encrypted = new InMemoryObjectStore();
        await NewRepository.CreateAsync(encrypted);
        await Should.ThrowAsync<RepositoryException>(
            async () => await Administration(encrypted).AddSlotAsync(NewRepository.Passphrase, KeyCredential.Clear, "", default));
    }

    private static KeyAdministration Administration(FunctionsBackup.Storage.IObjectStore store) =>
        new(store, TimeProvider.System) { Scrypt = new(16, 8, 1) };
}
