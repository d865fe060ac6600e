using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Sealing;

namespace FunctionsBackup.Tests.Repository.Replication;

public sealed class ReplicatorTests
{
    private readonly ReplicaSite _site = new();

    [Fact]
    public async Task A_replica_gets_all_that_the_primary_has_and_opens_by_itself()
    {
        await _site.InitAsync();
        var first = await _site.BackUpAsync(1, 2, 3);
        await (await _site.OpenAsync(_site.Primary)).Snapshots.PinAsync(first.Id, "audit", CancellationToken.None);
        var second = await _site.BackUpAsync(2, 3, 4);
        (await _site.LagAsync()).MissingSnapshots.ShouldBe(2);

        var report = await _site.ReplicateAsync();

        report.Damaged.ShouldBeEmpty();
        report.Notes.ShouldBeEmpty();
        (await _site.ShouldBeValidAsync(_site.Replica)).ShouldBe([first.Id, second.Id], ignoreOrder: true);
        foreach (var name in _site.Replica.Names) _site.Replica.Get(name).ShouldBe(_site.Primary.Get(name), name);
        _site.Names(_site.Primary, "").Except(_site.Replica.Names).ShouldBeEmpty();
        var lag = await _site.LagAsync();
        lag.MissingObjects.ShouldBe(0);
        lag.Since.ShouldBeNull();
        (await _site.ReplicateAsync()).CopiedObjects.ShouldBe(0);
    }

    [Fact]
    public async Task Parts_of_a_journal_come_along_and_go_when_no_recovery_point_there_needs_them()
    {
        await _site.InitAsync();
        await _site.BackUpAsync(1);
        await _site.ReplicateAsync();
        var names = new[] { "journals/livekit/20261120T000000000Z-0123456789abcdef", "journals/livekit/20261121T000000000Z-0123456789abcdef" };
        var primary = await _site.OpenAsync(_site.Primary);
        foreach (var name in names) await primary.Sealed.CreateAsync(SealedKind.JournalPart, name, "{}"u8.ToArray(), "event"u8.ToArray(), CancellationToken.None);
        var lag = await _site.LagAsync();
        (lag.MissingObjects, lag.Since is not null).ShouldBe((2, true));
        await _site.ReplicateAsync();
        _site.Names(_site.Replica, "journals/").ShouldBe(names, ignoreOrder: true);
        await _site.ShouldBeValidAsync(_site.Replica);

        foreach (var name in names) await _site.Primary.DeleteAsync(name, CancellationToken.None);
        var options = new ReplicationOptions { ObsoleteStreams = (_, _) => names.Take(1).ToAsyncEnumerable() };
        _site.Clock.Jump(ReplicaSite.Grace * 1.1);
        await _site.ReplicateAsync(options: options);
        _site.Names(_site.Replica, "journals/").ShouldBe(names.Skip(1), "one is needed: the primary lost it, and did not prune it");
    }

    [Fact]
    public async Task What_the_primary_prunes_goes_from_the_replica_after_the_grace_time_by_the_replicas_clock()
    {
        await _site.InitAsync();
        var old = await _site.BackUpAsync(1, 2);
        var kept = await _site.BackUpAsync(2, 3);
        await _site.ReplicateAsync();
        await _site.RemoveAsync(old);
        _site.Clock.Jump(ReplicaSite.Grace * 1.1);
        (await _site.CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        _site.Clock.Jump(ReplicaSite.Grace * 1.1);
        (await _site.CollectAsync()).DeletedPacks.ShouldBeGreaterThan(0);

        var packs = _site.Names(_site.Replica, "packs/").Count();
        await _site.ReplicateAsync();
        (await _site.ShouldBeValidAsync(_site.Replica)).ShouldBe([kept.Id]);
        _site.Names(_site.Replica, "packs/").Count().ShouldBe(packs, "the mark has just come: somebody may be writing to the replica");
        _site.Clock.Jump(ReplicaSite.Grace * 1.1);
        (await _site.ReplicateAsync()).RemovedObjects.ShouldBeGreaterThan(0);
        _site.Names(_site.Replica, "packs/").ShouldBe(_site.Names(_site.Primary, "packs/"));
        (await _site.ShouldBeValidAsync(_site.Replica)).ShouldBe([kept.Id]);

        _site.Clock.Jump(TimeSpan.FromDays(8));
        await _site.CollectAsync();
        await _site.ReplicateAsync();
        _site.Names(_site.Replica, "index/").ShouldBe(_site.Names(_site.Primary, "index/"));
        await _site.ShouldBeValidAsync(_site.Replica);
    }

    [Fact]
    public async Task What_the_primary_lost_stays_on_the_replica()
    {
        await _site.InitAsync();
        var lost = await _site.BackUpAsync(1, 2);
        var kept = await _site.BackUpAsync(2, 3);
        await _site.ReplicateAsync();

        // The record together with its witness, which the primary alone cannot see; and a collection that does what it must.
        foreach (var name in _site.Primary.Names.Where(n => n.EndsWith(lost.Id, StringComparison.Ordinal)).ToList())
            await _site.Primary.DeleteAsync(name, CancellationToken.None);
        for (var i = 0; i < 4; i++)
        {
            _site.Clock.Jump(ReplicaSite.Grace * 1.1);
            await _site.CollectAsync();
            (await _site.ReplicateAsync()).OnlyOnReplica.ShouldBe([lost.Id]);
        }

        _site.Names(_site.Primary, "packs/").Count().ShouldBeLessThan(_site.Names(_site.Replica, "packs/").Count());
        (await _site.ShouldBeValidAsync(_site.Replica)).ShouldBe([lost.Id, kept.Id], ignoreOrder: true);
    }

    [Fact]
    public async Task Packs_that_the_primary_lost_stay_known_to_the_replica_after_the_primary_was_repaired_without_them()
    {
        await _site.InitAsync();
        var snapshot = await _site.BackUpAsync(1, 2, 3);
        await _site.BackUpAsync(3, 4);
        await _site.ReplicateAsync();
        await _site.Primary.DeleteAsync(_site.Names(_site.Primary, "packs/").First(), CancellationToken.None);
        await new RepositoryRepair(await _site.OpenAsync(_site.Primary)).RunAsync(false, 2, CancellationToken.None);

        await _site.ReplicateAsync();

        (await _site.ShouldBeValidAsync(_site.Replica)).ShouldContain(snapshot.Id);
    }

    [Fact]
    public async Task A_primary_that_was_emptied_is_refused_and_the_replica_stays_as_it_is()
    {
        await _site.InitAsync();
        await _site.BackUpAsync(1);
        await _site.ReplicateAsync();
        var primary = await _site.OpenAsync(_site.Primary);
        foreach (var name in _site.Primary.Names) await _site.Primary.DeleteAsync(name, CancellationToken.None);
        var before = _site.Replica.Names;

        var refused = await Should.ThrowAsync<ReplicaRefusedException>(
            async () => await new Replicator(primary, _site.Replica, new ReplicationOptions()).RunAsync(null, CancellationToken.None));
        refused.Message.ShouldContain("no object 'config' any more");
        _site.Replica.Names.ShouldBe(before);

        await _site.InitAsync();
        await _site.BackUpAsync(2);
        (await Should.ThrowAsync<ReplicaRefusedException>(() => _site.ReplicateAsync())).Message.ShouldContain("another repository");
        _site.Replica.Names.ShouldBe(before);
    }

    [Fact]
    public async Task A_place_that_holds_something_else_is_refused()
    {
        await _site.InitAsync();
        await _site.Replica.CreateAsync("notes.txt", "mine"u8.ToArray(), CancellationToken.None);
        (await Should.ThrowAsync<ReplicaRefusedException>(() => _site.ReplicateAsync())).Message.ShouldContain("not empty (it has notes.txt)");
        _site.Replica.Names.ShouldBe(["notes.txt"]);
    }

    [Fact]
    public async Task What_is_damaged_on_the_primary_is_named_and_not_copied()
    {
        await _site.InitAsync();
        await _site.BackUpAsync(1);
        var pack = _site.Names(_site.Primary, "packs/").First();
        _site.Primary.Flip(pack, 100);
        var witness = _site.Names(_site.Primary, "witness/").Single();
        _site.Primary.Flip(witness, 100);

        var report = await _site.ReplicateAsync();

        report.Damaged.Select(d => d.Name).ShouldBe([pack, witness], ignoreOrder: true);
        _site.Replica.Names.ShouldNotContain(pack);
        _site.Replica.Names.ShouldNotContain(witness);
    }

    [Fact]
    public async Task A_pin_and_a_key_slot_that_were_removed_go_from_the_replica_and_a_lost_pin_stays()
    {
        await _site.InitAsync();
        var snapshot = await _site.BackUpAsync(1);
        var other = await _site.BackUpAsync(2);
        var repository = await _site.OpenAsync(_site.Primary);
        await repository.Snapshots.PinAsync(snapshot.Id, "", CancellationToken.None);
        await repository.Snapshots.PinAsync(other.Id, "", CancellationToken.None);
        await _site.ReplicateAsync();
        await repository.Snapshots.UnpinAsync(snapshot.Id, CancellationToken.None);
        foreach (var name in _site.Names(_site.Primary, "").Where(n => n.Contains("pins/", StringComparison.Ordinal)).ToList())
            await _site.Primary.DeleteAsync(name, CancellationToken.None);

        await _site.ReplicateAsync();

        (await (await _site.OpenAsync(_site.Replica)).Snapshots.ListPinsAsync(CancellationToken.None)).ShouldBe([other.Id]);
    }

    [Fact]
    public async Task A_revoked_passphrase_opens_no_replica()
    {
        byte[] one = [1, 2, 3], two = [4, 5, 6];
        await new RepositoryInitializer(_site.Primary, _site.Clock).CreateAsync(
            new InitRequest { Passphrases = [new(one, "one"), new(two, "two")], Scrypt = new(2, 1, 1) }, CancellationToken.None);
        await ReplicateAsync();
        (await KeyRingFactory.UnlockAsync(_site.Replica, KeyCredential.Passphrase(two), CancellationToken.None)).Dispose();
        var administration = new KeyAdministration(_site.Primary, _site.Clock) { Scrypt = new(2, 1, 1) };
        var slots = await administration.ListSlotsAsync(CancellationToken.None);
        await administration.RemoveSlotAsync(
            KeyCredential.Passphrase(one), slots.Usable.Single(s => s.Label == "two").Id, CancellationToken.None);

        await ReplicateAsync();

        await Should.ThrowAsync<WrongKeyException>(
            async () => await KeyRingFactory.UnlockAsync(_site.Replica, KeyCredential.Passphrase(two), CancellationToken.None));
        (await KeyRingFactory.UnlockAsync(_site.Replica, KeyCredential.Passphrase(one), CancellationToken.None)).Dispose();

        async Task ReplicateAsync()
        {
            var unlocked = await KeyRingFactory.UnlockAsync(_site.Primary, KeyCredential.Passphrase(one), CancellationToken.None);
            var repository = await BackupRepository.OpenAsync(_site.Primary, unlocked, _site.Options, CancellationToken.None);
            await new Replicator(repository, _site.Replica, new ReplicationOptions()).RunAsync(null, CancellationToken.None);
        }
    }
}
