using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Keys;

/// <summary>Keys are rotated while others write and read.</summary>
public sealed class RotationTests
{
    [Fact]
    public async Task A_backup_that_runs_while_keys_are_rotated_commits_and_everybody_reads_everything()
    {
        await using var store = new InMemoryObjectStore();
        var (_, recovery) = await NewRepository.CreateAsync(store);
        var running = await OpenAsync(store);
        await using var session = running.BeginSession(SessionTestExtensions.Options);
        var first = SampleData.Random(3_000_000, 1);
        await session.AddFilesAsync(running, new Dictionary<string, byte[]> { ["a"] = first });

        var rotation = await Rotator(store).RotateAsync([NewRepository.Passphrase], default);
        rotation.Epoch.ShouldBe(2u);
        rotation.Rewrapped.ShouldHaveSingleItem().Old.Kind.ShouldBe(KeySlot.PassphraseKind);

        // Somebody else adds a recovery point, a mark and index segments of the new epoch meanwhile.
        var newer = await OpenAsync(store);
        newer.Keys.CurrentEpoch.ShouldBe(2u);
        var theirs = new Dictionary<string, byte[]> { ["b"] = SampleData.Random(2_000_000, 2) };
        var their = await newer.BackUpAsync(theirs);
        await new GarbageCollector(newer).RunAsync(new CollectionOptions(), default);

        await session.AddFilesAsync(running, new Dictionary<string, byte[]> { ["c"] = SampleData.Random(3_000_000, 3) });
        var mine = await session.CommitAsync(SessionTestExtensions.Draft(), default);

        // The one that unlocked before reads what was written after, and the other way round, and who comes later reads all.
        await running.RefreshIndexAsync(default);
        running.Keys.CurrentEpoch.ShouldBe(2u, "it met the new epoch in the index");
        (await running.RestoreAsync(their)).ShouldHold(theirs);
        using var key = RecoveryKey.Parse(recovery);
        await using var later = await OpenAsync(store, KeyCredential.Recovery(key));
        (await later.RestoreAsync(mine))["a"].ShouldBe(first);
        (await later.RestoreAsync(their)).ShouldHold(theirs);
        var report = await new RepositoryVerifier(later).RunAsync(new VerificationOptions(VerificationLevel.Full), null, default);
        report.Defects.ShouldBeEmpty();

        // The same content again is no new data: ids do not change with epochs.
        await using var again = later.BeginSession(SessionTestExtensions.Options);
        await again.StoreAsync(new BytesSource(first), ContentOptions.ContentDefined, default);
        again.NewBytes.ShouldBe(0);
        await newer.DisposeAsync();
        await running.DisposeAsync();
    }

    [Fact]
    public async Task A_rotation_that_breaks_off_anywhere_locks_nobody_out_and_another_one_ends_it()
    {
        for (var at = 0; ; at++)
        {
            await using var inner = new InMemoryObjectStore();
            var (_, recovery) = await NewRepository.CreateAsync(inner);
            await using var store = new FaultyObjectStore(inner);
            var fault = new Fault(null, FaultKind.Vanish) { Skip = at };
            store.Add(fault);
            var broken = false;
            try
            {
                await Rotator(store).RotateAsync([NewRepository.Passphrase], default);
            }
            catch (Exception e) when (e is FunctionsBackup.Storage.StoreException or RepositoryException)
            {
                broken = true;
            }

            using (await KeyRingFactory.UnlockAsync(inner, NewRepository.Passphrase, default)) { }
            using var key = RecoveryKey.Parse(recovery);
            using (await KeyRingFactory.UnlockAsync(inner, KeyCredential.Recovery(key), default)) { }
            await Rotator(inner).RotateAsync([NewRepository.Passphrase], default);
            using (var unlocked = await KeyRingFactory.UnlockAsync(inner, NewRepository.Passphrase, default))
                unlocked.Keys.CurrentEpoch.ShouldBeGreaterThan(1u);
            if (!broken) break;
            at.ShouldBeLessThan(200);
        }
    }

    [Fact]
    public async Task The_last_slot_for_people_stays_even_beside_slots_of_services()
    {
        await using var store = new InMemoryObjectStore();
        using var service = new FakeKeyService();
        var administration = new KeyAdministration(store, TimeProvider.System) { Scrypt = new(16, 8, 1) };
        var (_, recovery) = await NewRepository.CreateAsync(store);
        var credential = KeyCredential.Service(service);
        var added = await administration.AddSlotAsync(NewRepository.Passphrase, credential, "service", default);
        var slots = (await administration.ListSlotsAsync(default)).Usable;
        var passphrase = slots.Single(s => s.Kind == KeySlot.PassphraseKind);
        var key = slots.Single(s => s.Kind == KeySlot.RecoveryKind);
        await administration.RemoveSlotAsync(credential, passphrase.Id, default);
        (await Should.ThrowAsync<RepositoryException>(async () => await administration.RemoveSlotAsync(credential, key.Id, default)))
            .Message.ShouldContain("the last one that a person can open");
        using var people = RecoveryKey.Parse(recovery);
        using (await KeyRingFactory.UnlockAsync(store, KeyCredential.Recovery(people), default)) { }
        await administration.RemoveSlotAsync(KeyCredential.Recovery(people), added.Id, default);
        await Should.ThrowAsync<WrongKeyException>(async () => await KeyRingFactory.UnlockAsync(store, credential, default));
    }

    [Fact]
    public async Task Keys_of_services_alone_are_not_enough_to_begin_with()
    {
        await using var store = new InMemoryObjectStore();
        using var service = new FakeKeyService();
        var request = new InitRequest { Services = [new(service, "service"), new(service, "again")] };
        (await Should.ThrowAsync<RepositoryException>(
            async () => await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(request, default))).Message.ShouldContain("services alone");
        store.Names.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_service_that_refuses_a_slot_is_the_reason_told_unless_another_slot_opens()
    {
        await using var store = new InMemoryObjectStore();
        using var service = new FakeKeyService();
        await NewRepository.CreateAsync(store);
        var administration = new KeyAdministration(store, TimeProvider.System);
        await administration.AddSlotAsync(NewRepository.Passphrase, KeyCredential.Service(service), "one", default);
        await administration.AddSlotAsync(NewRepository.Passphrase, KeyCredential.Service(service), "two", default);
        service.Refuse = key => key.EndsWith("/1", StringComparison.Ordinal);
        using (await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(service), default)) { }
        service.Refuse = _ => true;
        await Should.ThrowAsync<KeyServiceException>(async () => await KeyRingFactory.UnlockAsync(store, KeyCredential.Service(service), default));
    }

    [Fact]
    public async Task An_object_of_an_epoch_that_never_was_is_damage()
    {
        await using var store = new InMemoryObjectStore();
        await NewRepository.CreateAsync(store);
        await using var repository = await OpenAsync(store);
        var point = await repository.BackUpAsync(new Dictionary<string, byte[]> { ["a"] = [1] });
        foreach (var epoch in new byte[] { 7, 0xFF })
        {
            var record = store.Get($"snapshots/{point.Id}");
            record.AsSpan(8, 4).Fill(epoch);
            store.Overwrite($"snapshots/{point.Id}", record);
            await Should.ThrowAsync<DamageException>(async () => await repository.GetSnapshotAsync(point.Id, null, default));
        }
    }

    private static KeyRotator Rotator(FunctionsBackup.Storage.IObjectStore store) =>
        new(store, new KeyAdministration(store, TimeProvider.System) { Scrypt = new(16, 8, 1) });

    private static async Task<BackupRepository> OpenAsync(InMemoryObjectStore store, KeyCredential? credential = null) =>
        await BackupRepository.OpenAsync(
            store, await KeyRingFactory.UnlockAsync(store, credential ?? NewRepository.Passphrase, default), new RepositoryOptions(), default);
}
