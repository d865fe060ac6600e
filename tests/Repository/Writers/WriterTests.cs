using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Sealing;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Keys;
using FunctionsBackup.Tests.Repository.Runs;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Writers;

/// <summary>Hosts that may add recovery points and read none.</summary>
public sealed class WriterTests
{
    private static readonly Dictionary<string, byte[]> Files = new()
    {
        ["a"] = SampleData.Random(3_000_000, 1), ["b"] = SampleData.Text(500_000, 2), ["c"] = [], ["d"] = SampleData.Wave(900_000, 3),
    };

    [Fact]
    public async Task What_a_writer_adds_the_holders_of_the_keys_read_verify_and_prune()
    {
        await using var site = await WriterSite.CreateAsync();
        string id;
        await using (var writer = await site.WriteAsync())
        {
            writer.IsWriteOnly.ShouldBeTrue();
            id = (await writer.BackUpAsync(Files)).Id;
        }

        await using var reader = await site.OpenAsync();
        var snapshot = await reader.GetSnapshotAsync(id, "test", default);
        snapshot.Writer.ShouldBe(site.File.Id);
        (await reader.RestoreAsync(snapshot)).ShouldHold(Files);
        (await VerifyAsync(reader)).ShouldBeEmpty();
        reader.Keys.CurrentEpoch.ShouldBe(1u, "a session is no epoch of the repository");

        // The index can be made anew from the packs, which name the session in which they were made.
        foreach (var name in site.Store.Names.Where(n => n.StartsWith("index/", StringComparison.Ordinal)).ToList())
            await site.Store.DeleteAsync(name, default);
        await using var damaged = await site.OpenAsync();
        await new RepositoryRepair(damaged).RunAsync(false, 2, default);
        await using var repaired = await site.OpenAsync();
        (await repaired.RestoreAsync(snapshot)).ShouldHold(Files);
        (await VerifyAsync(repaired)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_relies_on_what_a_writer_stored_and_several_writers_keep_apart()
    {
        await using var site = await WriterSite.CreateAsync();
        using var second = await WriterSite.AddAsync(site.Store, "agent 2");
        foreach (var file in new[] { site.File, second, site.File })
        {
            await using var writer = await site.WriteAsync(file);
            var snapshot = await writer.BackUpAsync(Files);
            snapshot.Statistics.NewBytes.ShouldBeGreaterThan(4_000_000, "a session knows no other");
        }

        await using var reader = await site.OpenAsync();
        (await reader.FindParentAsync("test", _ => true, default)).ShouldBeNull();
        var own = await reader.BackUpAsync(Files);
        own.Statistics.NewBytes.ShouldBeGreaterThan(4_000_000);
        own.Writer.ShouldBeNull();
        (await reader.FindParentAsync("test", _ => true, default))!.Id.ShouldBe(own.Id);
        await foreach (var snapshot in reader.ListSnapshotsAsync(null, default)) (await reader.RestoreAsync(snapshot)).ShouldHold(Files);
        (await VerifyAsync(reader)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_writer_reads_nothing_not_even_its_own_when_the_session_is_over()
    {
        await using var site = await WriterSite.CreateAsync();
        string mine, theirs;
        await using (var writer = await site.WriteAsync()) mine = (await writer.BackUpAsync(Files)).Id;
        await using (var reader = await site.OpenAsync())
        {
            theirs = (await reader.BackUpAsync(Files)).Id;
            await reader.Snapshots.PinAsync(theirs, "kept", default);
        }

        await using var later = await site.WriteAsync();
        foreach (var id in new[] { mine, theirs })
            (await Should.ThrowAsync<WriteOnlyException>(async () => await later.GetSnapshotAsync(id, null, default))).Message.ShouldContain("passphrase");

        // With all that the host holds, no object opens but those that anybody may read.
        foreach (var name in site.Store.Names)
        {
            if (RecordKind(name) is { } kind)
                await Should.ThrowAsync<WriteOnlyException>(async () => await later.Sealed.ReadAsync(kind, name, default), name);
            site.Store.Get(name).AsSpan().IndexOf(Files["b"].AsSpan(0, 64)).ShouldBe(-1, name);
        }

        await Should.ThrowAsync<WrongKeyException>(async () => await KeyRingFactory.UnlockAsync(
            site.Store, KeyCredential.Passphrase(System.Text.Encoding.UTF8.GetBytes(site.File.ToText())), default));
    }

    [Fact]
    public async Task A_removed_writer_adds_nothing_more_and_what_it_added_stays()
    {
        await using var site = await WriterSite.CreateAsync();
        string id;
        await using (var writer = await site.WriteAsync()) id = (await writer.BackUpAsync(Files)).Id;
        // A copy of the file in wrong hands, which does not ask whether it may.
        await using var thief = await site.WriteAsync();
        var administration = new WriterAdministration(site.Store, TimeProvider.System);
        (await administration.RemoveAsync(NewRepository.Passphrase, site.File.Id, default)).ShouldBe(2);
        (await administration.RemoveAsync(NewRepository.Passphrase, site.File.Id, default)).ShouldBe(2, "again changes nothing");
        (await Should.ThrowAsync<WrongKeyException>(() => site.WriteAsync())).Message.ShouldContain("was removed");
        var removal = site.Store.Get(site.Store.Names.Single(n => n.EndsWith(".removed", StringComparison.Ordinal)));
        await site.Store.DeleteAsync(site.Store.Names.Single(n => n.EndsWith(".removed", StringComparison.Ordinal)), default);
        string stolen;
        await using (var forger = await site.WriteAsync()) stolen = (await forger.BackUpAsync(Files)).Id;
        await site.Store.CreateAsync($"{site.Store.Names.Single(n => n.EndsWith("writers/" + site.File.Id, StringComparison.Ordinal))}.removed", removal, default);

        await using var reader = await site.OpenAsync();
        (await reader.RestoreAsync(await reader.GetSnapshotAsync(id, null, default))).ShouldHold(Files);
        (await Should.ThrowAsync<DamageException>(async () => await reader.GetSnapshotAsync(stolen, null, default))).Message.ShouldContain("was removed");
        var listed = await administration.ListAsync(NewRepository.Passphrase, default);
        listed.ShouldHaveSingleItem().RemovedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task The_file_of_one_repository_opens_no_other()
    {
        await using var site = await WriterSite.CreateAsync();
        await using var other = await WriterSite.CreateAsync();
        (await Should.ThrowAsync<WrongKeyException>(() => site.WriteAsync(other.File))).Message.ShouldContain(other.File.RepositoryId);
        // Even if its config is put in the place of ours, nobody takes the session for one of a writer here.
        site.Store.Names.ShouldNotContain(n => n.Contains("/sessions/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_session_record_that_was_changed_anywhere_opens_nothing_wrong()
    {
        await using var site = await WriterSite.CreateAsync();
        string id;
        await using (var writer = await site.WriteAsync()) id = (await writer.BackUpAsync(new Dictionary<string, byte[]> { ["x"] = [1] })).Id;
        var name = site.Store.Names.Single(n => n.Contains("/sessions/", StringComparison.Ordinal));
        var good = site.Store.Get(name);
        using var unlocked = await KeyRingFactory.UnlockAsync(site.Store, NewRepository.Passphrase, default);
        for (var at = 0; at < good.Length; at++)
        {
            foreach (var mask in new byte[] { 1, 0x40 })
            {
                var spoilt = (byte[])good.Clone();
                spoilt[at] ^= mask;
                site.Store.Overwrite(name, spoilt);
                using var fresh = await KeyRingFactory.UnlockAsync(site.Store, NewRepository.Passphrase, default);
                var sealedObjects = new SealedObjects(site.Store, fresh.Keys, fresh.Config.RepositoryId);
                try
                {
                    var content = await sealedObjects.ReadAsync(SealedKind.Snapshot, "snapshots/" + id, default);
                    content.ShouldNotBeNull(); // white space, or the like
                }
                catch (DamageException e)
                {
                    e.Message.ShouldContain("damaged");
                }
            }
        }

        await site.Store.DeleteAsync(name, default);
        await using var reader = await site.OpenAsync();
        await Should.ThrowAsync<DamageException>(async () => await reader.GetSnapshotAsync(id, null, default));
        (await VerifyAsync(reader)).ShouldNotBeEmpty();
        site.Store.Overwrite(name, good);
        await using var healed = await site.OpenAsync();
        (await VerifyAsync(healed)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Packs_of_a_writer_are_collected_when_nothing_needs_them_and_never_copied()
    {
        var clock = new ManualClock();
        await using var site = await WriterSite.CreateAsync(clock);
        string first, second;
        await using (var writer = await site.WriteAsync(time: clock)) first = (await writer.BackUpAsync(Files)).Id;
        await using (var writer = await site.WriteAsync(time: clock)) second = (await writer.BackUpAsync(Files)).Id;
        await using var reader = await site.OpenAsync(clock);
        await reader.Snapshots.DeleteAsync(first, default);
        clock.Advance(TimeSpan.FromDays(2));
        var options = new CollectionOptions { RepackBelow = 1 };
        (await new GarbageCollector(reader).RunAsync(options, default)).RepackedPacks.ShouldBe(0);
        clock.Advance(TimeSpan.FromDays(2));
        await using var again = await site.OpenAsync(clock);
        (await new GarbageCollector(again).RunAsync(options, default)).DeletedPacks.ShouldBeGreaterThan(0);
        (await again.RestoreAsync(await again.GetSnapshotAsync(second, null, default))).ShouldHold(Files);
        (await VerifyAsync(again)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_replica_has_all_that_it_needs_to_restore_what_writers_added()
    {
        await using var site = await WriterSite.CreateAsync();
        var replica = new InMemoryObjectStore();
        var ids = new List<string>();
        for (var round = 0; round < 3; round++)
        {
            await using (var writer = await site.WriteAsync()) ids.Add((await writer.BackUpAsync(Files)).Id);
            await using var primary = await site.OpenAsync();
            if (round == 1)
            {
                // Begun after the pass had copied the keys: they come with what needs them.
                var racing = new RacingStore(replica, "packs/", async () =>
                {
                    await using var late = await site.WriteAsync();
                    ids.Add((await late.BackUpAsync(Files)).Id);
                });
                await new Replicator(primary, racing, new ReplicationOptions()).RunAsync(null, default);
                await using var half = await WriterSite.OpenAsync(replica);
                (await VerifyAsync(half)).ShouldBeEmpty();
            }

            (await new Replicator(primary, replica, new ReplicationOptions()).RunAsync(null, default)).Damaged.ShouldBeEmpty();
        }

        await using var alone = await WriterSite.OpenAsync(replica);
        foreach (var id in ids) (await alone.RestoreAsync(await alone.GetSnapshotAsync(id, null, default))).ShouldHold(Files);
        (await VerifyAsync(alone)).ShouldBeEmpty();

        // A session's record that the primary lost comes back from the replica.
        var lost = site.Store.Names.First(n => n.Contains("/sessions/", StringComparison.Ordinal));
        await site.Store.DeleteAsync(lost, default);
        using var keys = await KeyRingFactory.UnlockAsync(site.Store, NewRepository.Passphrase, default);
        var healed = await new ReplicaHealing(keys, site.Store, replica, new HealingOptions(), TimeProvider.System).RunAsync(default);
        healed.Healed.Select(h => h.Name).ShouldContain(lost);
        await using var again = await site.OpenAsync();
        (await VerifyAsync(again)).ShouldBeEmpty();
    }

    internal static async Task<IReadOnlyList<Defect>> VerifyAsync(BackupRepository repository) =>
        (await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, default)).Defects;

    private static SealedKind? RecordKind(string name) => name.Split('/')[0] switch
    {
        "snapshots" => SealedKind.Snapshot,
        "witness" => SealedKind.Witness,
        "pins" => SealedKind.Pin,
        _ => null,
    };
}
