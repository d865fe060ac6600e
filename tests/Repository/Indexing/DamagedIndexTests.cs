using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Indexing;

/// <summary>A damaged part of the index stops no backup, spoils no other restore, and lets nothing be collected.</summary>
public sealed class DamagedIndexTests
{
    private static readonly Dictionary<string, byte[]> One = Enumerable.Range(0, 6).ToDictionary(i => $"one{i}", i => RoundTripTests.Bytes(300_000, i));
    private static readonly Dictionary<string, byte[]> Two = Enumerable.Range(0, 4).ToDictionary(i => $"two{i}", i => RoundTripTests.Bytes(300_000, 100 + i));

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public DamagedIndexTests() => _store = new InMemoryObjectStore(_clock);

    private RepositoryOptions Options => new() { Time = _clock };

    [Theory]
    [InlineData("front")]
    [InlineData("page")]
    [InlineData("header")]
    [InlineData("cut")]
    public async Task A_backup_goes_on_stores_anew_what_only_the_damaged_segment_names_and_says_so(string part)
    {
        var (_, two, damaged) = await DamagedAsync(part);
        var repository = await TestRepository.OpenAsync(_store, Options);
        (await repository.FindParentAsync("test", _ => true, CancellationToken.None) is null).ShouldBe(part != "page", "nothing is taken over unseen");

        var again = await repository.BackUpAsync(new Dictionary<string, byte[]>([.. One, .. Two]));
        again.Statistics.NewBytes.ShouldBeInRange(One.Values.Sum(f => (long)f.Length), One.Values.Sum(f => (long)f.Length) + 100_000, "the files, and a catalog");
        again.Warnings.ShouldHaveSingleItem().ShouldContain(damaged);
        again.Warnings[0].ShouldContain("fbackup repository repair");
        var reader = await TestRepository.OpenAsync(_store, Options);
        (await reader.RestoreAsync(again)).ShouldHold(new Dictionary<string, byte[]>([.. One, .. Two]));
        (await reader.RestoreAsync(two)).ShouldHold(Two);
    }

    [Theory]
    [InlineData("front")]
    [InlineData("page")]
    public async Task A_restore_finds_what_other_segments_name_and_names_what_it_lacks(string part)
    {
        var (one, two, damaged) = await DamagedAsync(part);
        var repository = await TestRepository.OpenAsync(_store, Options);
        (await repository.RestoreAsync(two)).ShouldHold(Two);
        var error = await Should.ThrowAsync<DamageException>(() => repository.RestoreAsync(one));
        error.ObjectName.ShouldBe(damaged);
        error.Message.ShouldContain("fbackup repository repair");
        foreach (var level in (VerificationLevel[])[VerificationLevel.Quick, VerificationLevel.Full])
            (await new RepositoryVerifier(await TestRepository.OpenAsync(_store, Options))
                .RunAsync(new VerificationOptions(level), null, CancellationToken.None)).Defects
                .Any(d => d.ObjectName == damaged).ShouldBe(level == VerificationLevel.Full || part == "front");
    }

    [Theory]
    [InlineData("front")]
    [InlineData("page")]
    [InlineData("header")]
    public async Task Nothing_is_marked_or_swept_until_repair_and_nothing_is_lost_after_it(string part)
    {
        var (one, two, damaged) = await DamagedAsync(part);
        var packs = Packs();
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromDays(3));
            (await Should.ThrowAsync<RepositoryException>(CollectAsync)).Message.ShouldContain(damaged);
        }

        Packs().ShouldBe(packs);
        _store.Names.ShouldNotContain(n => n.StartsWith("collect/", StringComparison.Ordinal));
        (await new RepositoryRepair(await TestRepository.OpenAsync(_store, Options)).RunAsync(false, 2, CancellationToken.None)).Damage.ShouldBeNull();
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(TimeSpan.FromDays(3));
            await CollectAsync();
        }

        var repository = await TestRepository.OpenAsync(_store, Options);
        (await repository.RestoreAsync(one)).ShouldHold(One);
        (await repository.RestoreAsync(two)).ShouldHold(Two);
        repository.IndexWarnings.ShouldBeEmpty();
    }

    /// <summary>
    /// What a replaced segment names may be gone. It is in force again when the one that replaced it cannot be read; then a backup must not
    /// rely on it, however long ago the collection was.
    /// </summary>
    [Fact]
    public async Task A_backup_does_not_rely_on_packs_that_are_gone_when_a_replaced_segment_comes_back_into_force()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(One);
        await repository.BackUpAsync(Two);
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        var before = Index();
        _clock.Advance(TimeSpan.FromDays(2));
        await CollectAsync();
        _clock.Advance(TimeSpan.FromDays(60));
        await CollectAsync();
        _clock.Advance(TimeSpan.FromDays(1));
        await CollectAsync();
        before.ShouldBeSubsetOf(Index());
        var merged = Index().Except(before).ShouldHaveSingleItem();

        foreach (var dropped in new[] { false, true })
        {
            var store = _store.Copy();
            if (dropped) await store.DeleteAsync(merged, CancellationToken.None);
            else store.Flip(merged, 70);
            var snapshot = await (await TestRepository.OpenAsync(store, Options)).BackUpAsync(One);
            (await (await TestRepository.OpenAsync(store, Options)).RestoreAsync(snapshot)).ShouldHold(One);
        }
    }

    private async Task<(Snapshot One, Snapshot Two, string Damaged)> DamagedAsync(string part)
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var one = await repository.BackUpAsync(One);
        var damaged = Index().Single();
        var two = await repository.BackUpAsync(Two);
        var segment = repository.Index.Segments.Single(s => s.Name == damaged);
        var bytes = _store.Get(damaged);
        var firstPage = bytes.Length - IndexFormat.HashSize - IndexFormat.PageStored(segment.EntryCount, 0);
        switch (part)
        {
            case "header": _store.Flip(damaged, 13); break;
            case "front": _store.Flip(damaged, IndexFormat.HeaderSize + 20); break;
            case "page": _store.Flip(damaged, firstPage + 5); break;
            case "cut": _store.Overwrite(damaged, bytes.AsSpan(0, bytes.Length / 2)); break;
        }

        return (one, two, damaged);
    }

    private List<string> Index() => [.. _store.Names.Where(n => n.StartsWith("index/", StringComparison.Ordinal))];

    private List<string> Packs() => [.. _store.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal))];

    private async Task CollectAsync() => await new GarbageCollector(await TestRepository.OpenAsync(_store, Options))
        .RunAsync(new CollectionOptions { Grace = TimeSpan.FromHours(24) }, CancellationToken.None);
}
