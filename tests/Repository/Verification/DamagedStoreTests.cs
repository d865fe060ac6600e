using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Verification;

/// <summary>Every kind of object, flipped, cut, dropped and swapped: found, named, and never restored as if good.</summary>
public sealed class DamagedStoreTests
{
    private static readonly Dictionary<string, byte[]> Files = Enumerable.Range(0, 30)
        .ToDictionary(i => $"f{i:D2}", i => i % 2 == 0 ? RoundTripTests.Bytes(400_000, i) : [.. Enumerable.Repeat((byte)i, 900_000)]);

    public static TheoryData<string, string> Cases()
    {
        var cases = new TheoryData<string, string>();
        foreach (var prefix in (string[])["packs/", "index/", "snapshots/"])
            foreach (var harm in (string[])["flip first", "flip middle", "flip last", "cut", "empty", "drop", "swap"])
                cases.Add(prefix, harm);
        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Harm_is_found_and_named(string prefix, string harm)
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var one = await repository.BackUpAsync(Files);
        var two = await repository.BackUpAsync(new Dictionary<string, byte[]> { ["other"] = RoundTripTests.Bytes(3_000_000, 99) });
        var names = await store.ListAsync(prefix, CancellationToken.None).Select(i => i.Name).ToListAsync();
        foreach (var name in names)
        {
            var damaged = await CopyAsync(store);
            await HarmAsync(damaged, name, harm, names);
            await CheckAsync(damaged, name, [one, two]);
        }
    }

    private static async Task CheckAsync(InMemoryObjectStore store, string name, Snapshot[] expected)
    {
        var repository = await TestRepository.OpenAsync(store);
        var report = await VerifyAsync(repository);
        report.Defects.ShouldNotBeEmpty();
        if (!name.StartsWith("index/", StringComparison.Ordinal)) report.Defects.ShouldContain(d => d.ObjectName == name);
        report.Defects.ShouldAllBe(d => d.Snapshots.Count > 0);

        foreach (var snapshot in expected)
        {
            try
            {
                var restored = await repository.RestoreAsync(await repository.GetSnapshotAsync(snapshot.Id, null, CancellationToken.None));
                restored.ShouldHold(Expected(snapshot, expected));
            }
            catch (DamageException e)
            {
                report.Defects.ShouldContain(d => d.Snapshots.Contains(snapshot.Id), e.Message);
            }
        }

        if (name.StartsWith("packs/", StringComparison.Ordinal)) return;
        // The index and the records are there twice over: in the packs, and in their witnesses.
        (await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None)).Damage.ShouldBeNull();
        var mended = await TestRepository.OpenAsync(store);
        foreach (var snapshot in expected)
            (await mended.RestoreAsync(await mended.GetSnapshotAsync(snapshot.Id, null, CancellationToken.None))).ShouldHold(Expected(snapshot, expected));
        (await VerifyAsync(mended)).Defects.ShouldBeEmpty();
    }

    private static Dictionary<string, byte[]> Expected(Snapshot snapshot, Snapshot[] all) =>
        snapshot == all[0] ? Files : new Dictionary<string, byte[]> { ["other"] = RoundTripTests.Bytes(3_000_000, 99) };

    [Fact]
    public async Task Repair_rebuilds_the_index_from_packs_alone()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var snapshot = await repository.BackUpAsync(Files);
        foreach (var name in await store.ListAsync("index/", CancellationToken.None).Select(i => i.Name).ToListAsync())
            await store.DeleteAsync(name, CancellationToken.None);
        repository = await TestRepository.OpenAsync(store);
        var report = await new RepositoryRepair(repository).RunAsync(true, 2, CancellationToken.None);
        report.Damage.ShouldBeNull();
        report.LostPacks.ShouldBeEmpty();
        repository = await TestRepository.OpenAsync(store);
        (await repository.RestoreAsync(snapshot)).ShouldHold(Files);
        (await VerifyAsync(repository)).Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task Repair_marks_what_is_lost_and_the_next_backup_mends_it()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var lost = await repository.BackUpAsync(Files);
        var whole = await repository.BackUpAsync(new Dictionary<string, byte[]> { ["other"] = [1, 2, 3] });
        var packs = await store.ListAsync("packs/", CancellationToken.None).ToListAsync();
        await store.DeleteAsync(packs.MaxBy(p => p.Size)!.Name, CancellationToken.None);

        repository = await TestRepository.OpenAsync(store);
        var report = await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        report.LostPacks.Count.ShouldBe(1);
        report.Damage!.Snapshots.Select(s => s.Id).ShouldBe([lost.Id]);
        report.Damage.Snapshots[0].LostFiles.ShouldBeGreaterThan(0);
        report.Damage.Snapshots[0].Examples.ShouldContain("f00");

        repository = await TestRepository.OpenAsync(store);
        (await repository.FindParentAsync("test", _ => true, CancellationToken.None)).ShouldBeNull();
        await Should.ThrowAsync<DamageException>(() => repository.RestoreAsync(lost));
        await repository.RestoreAsync(whole);
        (await repository.BackUpAsync(Files, lost)).Statistics.NewBytes.ShouldBeGreaterThan(0);
        (await repository.RestoreAsync(lost)).ShouldHold(Files);
        (await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None)).Damage.ShouldBeNull();
        (await (await TestRepository.OpenAsync(store)).FindParentAsync("test", _ => true, CancellationToken.None)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Repair_keeps_the_good_blocks_of_a_bad_pack()
    {
        var store = new InMemoryObjectStore();
        var repository = await TestRepository.CreateAsync(store);
        var snapshot = await repository.BackUpAsync(Files);
        var pack = (await store.ListAsync("packs/", CancellationToken.None).ToListAsync()).MaxBy(p => p.Size)!;
        await HarmAsync(store, pack.Name, "flip middle", []);
        repository = await TestRepository.OpenAsync(store);
        (await VerifyAsync(repository)).Defects.ShouldContain(d => d.ObjectName == pack.Name && d.Snapshots.Contains(snapshot.Id));
        var report = await new RepositoryRepair(repository).RunAsync(false, 2, CancellationToken.None);
        report.Damage!.Snapshots.Single().LostFiles.ShouldBeLessThan(6);
    }

    [Fact]
    public async Task A_sample_begins_with_what_was_verified_longest_ago()
    {
        var repository = await TestRepository.CreateAsync();
        await repository.BackUpAsync(Enumerable.Range(0, 90).ToDictionary(i => $"f{i}", i => RoundTripTests.Bytes(1_000_000, i)));
        var options = new VerificationOptions(VerificationLevel.Sample) { SamplePercent = 25 };
        var results = new VerificationResults(repository.Store, repository.Sealed);
        for (var i = 0; i < 4; i++) (await new RepositoryVerifier(repository).RunAsync(options, null, CancellationToken.None)).Defects.ShouldBeEmpty();
        var verified = await results.LoadAsync(CancellationToken.None);
        var packs = await repository.Store.ListAsync("packs/", CancellationToken.None).Select(i => i.Name).ToListAsync();
        packs.Count.ShouldBeGreaterThan(5);
        verified.Keys.Order().ShouldBe(packs.Order());
    }

    private static async Task<VerificationReport> VerifyAsync(BackupRepository repository) =>
        await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);

    private static async Task<byte[]> ReadAsync(InMemoryObjectStore store, string name)
    {
        var info = await store.FindAsync(name, CancellationToken.None);
        var bytes = new byte[info!.Size];
        await store.ReadAsync(name, 0, bytes, CancellationToken.None);
        return bytes;
    }

    private static async Task<InMemoryObjectStore> CopyAsync(InMemoryObjectStore store)
    {
        var copy = new InMemoryObjectStore();
        await foreach (var info in store.ListAsync("", CancellationToken.None))
            await copy.CreateAsync(info.Name, await ReadAsync(store, info.Name), CancellationToken.None);
        return copy;
    }

    private static async Task HarmAsync(InMemoryObjectStore store, string name, string harm, List<string> others)
    {
        var bytes = await ReadAsync(store, name);
        await store.DeleteAsync(name, CancellationToken.None);
        switch (harm)
        {
            case "flip first": bytes[0] ^= 1; break;
            case "flip middle": bytes[bytes.Length / 2] ^= 0x40; break;
            case "flip last": bytes[^1] ^= 0x80; break;
            case "cut": bytes = bytes[..(bytes.Length / 2)]; break;
            case "empty": bytes = []; break;
            case "drop": return;
            case "swap": bytes = await ReadAsync(store, others.First(o => o != name)); break;
        }

        await store.CreateAsync(name, bytes, CancellationToken.None);
    }
}
