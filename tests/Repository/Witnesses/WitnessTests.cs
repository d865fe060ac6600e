using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Witnesses;

/// <summary>What was lost is told from what was removed, named, kept from being collected, and put back.</summary>
public sealed class WitnessTests
{
    private static readonly Dictionary<string, byte[]> Files = new() { ["a"] = RoundTripTests.Bytes(400_000, 1), ["b"] = [1, 2, 3] };

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public WitnessTests() => _store = new InMemoryObjectStore(_clock);

    private RepositoryOptions Options => new() { Time = _clock };

    [Theory]
    [InlineData(VerificationLevel.Quick)]
    [InlineData(VerificationLevel.Sample)]
    [InlineData(VerificationLevel.Full)]
    public async Task A_lost_record_is_named_at_every_level_with_what_puts_it_back(VerificationLevel level)
    {
        var (repository, lost) = await TwoAsync();
        await _store.DeleteAsync("snapshots/" + lost.Id, CancellationToken.None);
        var defect = (await VerifyAsync(repository, level)).Defects.ShouldHaveSingleItem();
        defect.ObjectName.ShouldBe("snapshots/" + lost.Id);
        defect.Snapshots.ShouldBe([lost.Id]);
        defect.Mend.ShouldBe("fbackup repository repair");
        var error = await Should.ThrowAsync<DamageException>(async () => await repository.GetSnapshotAsync(lost.Id, null, CancellationToken.None));
        error.ObjectName.ShouldBe("snapshots/" + lost.Id);

        var report = await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        report.PutBack.ShouldBe(["snapshots/" + lost.Id]);
        (await repository.RestoreAsync(await repository.GetSnapshotAsync(lost.Id, null, CancellationToken.None))).ShouldHold(Files);
        (await VerifyAsync(repository, level)).Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_removed_recovery_point_is_not_a_lost_one()
    {
        var (repository, removed) = await TwoAsync();
        await repository.Snapshots.PinAsync(removed.Id, "for a while", CancellationToken.None);
        await repository.Snapshots.DeleteAsync(removed.Id, CancellationToken.None);
        _store.Names.ShouldNotContain(n => n.Contains(removed.Id, StringComparison.Ordinal));
        (await VerifyAsync(repository, VerificationLevel.Full)).Defects.ShouldBeEmpty();
        await CollectAsync();
    }

    [Fact]
    public async Task Nothing_is_collected_while_a_record_is_lost()
    {
        var (repository, lost) = await TwoAsync();
        await _store.DeleteAsync("snapshots/" + lost.Id, CancellationToken.None);
        _clock.Advance(TimeSpan.FromDays(3));
        (await Should.ThrowAsync<DamageException>(CollectAsync)).Message.ShouldContain(lost.Id);
        (await Should.ThrowAsync<DamageException>(async () => await repository.Snapshots.EnsureNoneLostAsync(CancellationToken.None)))
            .ObjectName.ShouldBe("snapshots/" + lost.Id);
        _store.Names.ShouldNotContain(n => n.StartsWith("collect/", StringComparison.Ordinal));

        await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromDays(3));
            await CollectAsync();
        }

        (await repository.RestoreAsync(await repository.GetSnapshotAsync(lost.Id, null, CancellationToken.None))).ShouldHold(Files);
    }

    [Fact]
    public async Task A_lost_pin_still_keeps_and_is_put_back_with_its_reason()
    {
        var (repository, kept) = await TwoAsync();
        await repository.Snapshots.PinAsync(kept.Id, "evidence", CancellationToken.None);
        var name = "pins/" + kept.Id;
        await _store.DeleteAsync(name, CancellationToken.None);
        (await repository.Snapshots.ListPinsAsync(CancellationToken.None)).ShouldBe([kept.Id]);
        (await VerifyAsync(repository, VerificationLevel.Quick)).Defects.ShouldHaveSingleItem().ObjectName.ShouldBe(name);
        await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        var pin = await repository.Sealed.ReadAsync(FunctionsBackup.Repository.Sealing.SealedKind.Pin, name, CancellationToken.None);
        System.Text.Json.JsonSerializer.Deserialize<string>(pin!.Header).ShouldBe("evidence");

        (await repository.Snapshots.UnpinAsync(kept.Id, CancellationToken.None)).ShouldBeTrue();
        (await repository.Snapshots.UnpinAsync(kept.Id, CancellationToken.None)).ShouldBeFalse();
        (await repository.Snapshots.ListPinsAsync(CancellationToken.None)).ShouldBeEmpty();
        (await VerifyAsync(repository, VerificationLevel.Full)).Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_record_lost_together_with_its_copys_contents_counts_as_removed_after_repair_said_so()
    {
        var (repository, lost) = await TwoAsync();
        await _store.DeleteAsync("snapshots/" + lost.Id, CancellationToken.None);
        _store.Flip($"witness/snapshots/{lost.Id}", 100);
        (await VerifyAsync(repository, VerificationLevel.Quick)).Defects.ShouldHaveSingleItem();
        var report = await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        report.LostRecords.ShouldBe(["snapshots/" + lost.Id]);
        (await VerifyAsync(repository, VerificationLevel.Full)).Defects.ShouldBeEmpty();
        await Should.ThrowAsync<SnapshotNotFoundException>(async () => await repository.GetSnapshotAsync(lost.Id, null, CancellationToken.None));
        await CollectAsync();
    }

    [Fact]
    public async Task Damaged_copies_are_named_and_renewed()
    {
        var (repository, one) = await TwoAsync();
        var copies = _store.Names.Where(n => n.Contains("witness/", StringComparison.Ordinal)).ToList();
        copies.Count.ShouldBe(3); // two records, one key slot
        foreach (var name in copies) _store.Flip(name, 100);
        var defects = (await VerifyAsync(repository, VerificationLevel.Full)).Defects;
        defects.Select(d => d.ObjectName).Order(StringComparer.Ordinal).ShouldBe(copies);
        await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        (await VerifyAsync(repository, VerificationLevel.Full)).Defects.ShouldBeEmpty();
        await _store.DeleteAsync("snapshots/" + one.Id, CancellationToken.None);
        (await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None)).PutBack.ShouldBe(["snapshots/" + one.Id]);
    }

    [Fact]
    public async Task A_repository_without_witnesses_is_good_and_gets_them_from_the_next_collection()
    {
        var (repository, one) = await TwoAsync();
        await repository.Snapshots.PinAsync(one.Id, "", CancellationToken.None);
        var all = _store.Names.ToList();
        foreach (var name in all.Where(n => n.Contains("witness/", StringComparison.Ordinal))) await _store.DeleteAsync(name, CancellationToken.None);
        var report = await VerifyAsync(repository, VerificationLevel.Full);
        report.Defects.ShouldBeEmpty();
        report.Notes.Count.ShouldBe(3);
        await CollectAsync();
        all.Where(n => n.Contains("witness/", StringComparison.Ordinal)).ShouldBeSubsetOf(_store.Names);
        (await VerifyAsync(repository, VerificationLevel.Full)).Notes.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_lost_key_slot_is_named_still_opens_and_is_put_back_but_a_removed_one_does_not_open()
    {
        var store = new InMemoryObjectStore();
        KeyCredential one = KeyCredential.Passphrase("one"u8.ToArray()), two = KeyCredential.Passphrase("two"u8.ToArray());
        await new RepositoryInitializer(store, TimeProvider.System).CreateAsync(
            new InitRequest
            {
                Passphrases = [new InitPassphrase("one"u8.ToArray(), "1"), new InitPassphrase("two"u8.ToArray(), "2")],
                Scrypt = new(16, 8, 1),
            },
            CancellationToken.None);
        var administration = new KeyAdministration(store, TimeProvider.System) { Scrypt = new(16, 8, 1) };
        var slots = (await administration.ListSlotsAsync(CancellationToken.None)).Usable;
        var second = slots.Single(s => s.Label == "2").Id;
        var name = store.Names.Single(n => n.EndsWith("/slots/" + second, StringComparison.Ordinal));
        var bytes = store.Get(name);
        await store.DeleteAsync(name, CancellationToken.None);

        (await administration.ListLostSlotsAsync(CancellationToken.None)).ShouldBe([second]);
        await using (var repository = await OpenAsync(store.Copy(), two))
            (await VerifyAsync(repository, VerificationLevel.Quick)).Defects.ShouldHaveSingleItem().ObjectName.ShouldBe(name);
        var mended = store.Copy();
        await using (var repository = await OpenAsync(mended, one))
        {
            (await new RepositoryRepair(repository).RunAsync(false, 1, CancellationToken.None)).PutBack.ShouldBe([name]);
            mended.Get(name).ShouldBe(bytes);
        }

        await administration.RemoveSlotAsync(one, second, CancellationToken.None);
        store.Names.ShouldNotContain(n => n.Contains(second, StringComparison.Ordinal));
        await Should.ThrowAsync<WrongKeyException>(() => OpenAsync(store, two));
        var third = await administration.AddSlotAsync(one, two, "3", CancellationToken.None);
        store.Names.Count(n => n.Contains(third.Id, StringComparison.Ordinal)).ShouldBe(2);
        await administration.RemoveSlotAsync(one, third.Id, CancellationToken.None);
        store.Names.ShouldNotContain(n => n.Contains(third.Id, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_store_that_fails_after_the_commit_leaves_a_recovery_point_that_is_good()
    {
        var faulty = new FaultyObjectStore(_store);
        var repository = await TestRepository.CreateAsync(faulty, Options);
        faulty.Add(new Fault(StoreOperation.Create, FaultKind.FailBefore) { Where = name => name.StartsWith("witness/", StringComparison.Ordinal) });
        var snapshot = await repository.BackUpAsync(Files);
        _store.Names.ShouldNotContain("witness/snapshots/" + snapshot.Id);
        (await VerifyAsync(repository, VerificationLevel.Full)).Defects.ShouldBeEmpty();
        await CollectAsync();
        _store.Names.ShouldContain("witness/snapshots/" + snapshot.Id);
    }

    private async Task<(BackupRepository Repository, Snapshot First)> TwoAsync()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var first = await repository.BackUpAsync(Files);
        await repository.BackUpAsync(new Dictionary<string, byte[]> { ["c"] = RoundTripTests.Bytes(300_000, 7) });
        return (repository, first);
    }

    private static async Task<BackupRepository> OpenAsync(InMemoryObjectStore store, KeyCredential credential) => await BackupRepository.OpenAsync(
        store, await KeyRingFactory.UnlockAsync(store, credential, CancellationToken.None), new RepositoryOptions(), CancellationToken.None);

    private async Task CollectAsync() => await new GarbageCollector(await TestRepository.OpenAsync(_store, Options))
        .RunAsync(new CollectionOptions { Grace = TimeSpan.FromHours(24) }, CancellationToken.None);

    private static async Task<VerificationReport> VerifyAsync(BackupRepository repository, VerificationLevel level) =>
        await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(level), null, CancellationToken.None);
}
