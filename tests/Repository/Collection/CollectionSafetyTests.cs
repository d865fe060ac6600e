using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Collection;

/// <summary>Ways in which a collection could take what somebody needs, or get in the way of backups and restores.</summary>
public sealed class CollectionSafetyTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public CollectionSafetyTests() => _store = new InMemoryObjectStore(_clock);

    private RepositoryOptions Options => new() { Time = _clock };

    [Fact]
    public async Task Segments_that_were_replaced_twice_over_do_not_come_back_into_force()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        await repository.BackUpAsync(Files(1, 1));
        await repository.BackUpAsync(Files(2, 1));
        await MergeAsync(repository);
        var between = repository.Index.Segments.Single().Name;
        await repository.BackUpAsync(Files(3, 1));
        _clock.Advance(TimeSpan.FromDays(2));
        await MergeAsync(repository);
        await _store.DeleteAsync(between, CancellationToken.None);
        (await TestRepository.OpenAsync(_store, Options)).Index.Segments.Select(s => s.Name).ShouldBe(repository.Index.Segments.Select(s => s.Name));
    }

    [Fact]
    public async Task Segments_that_were_replaced_stay_for_those_who_are_reading_and_then_go()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var snapshots = new List<FunctionsBackup.Repository.Snapshots.Snapshot>();
        for (var i = 0; i < 26; i++) snapshots.Add(await repository.BackUpAsync(new Dictionary<string, byte[]> { ["f"] = RoundTripTests.Bytes(1000, i) }));
        _clock.Advance(TimeSpan.FromDays(40));
        var reader = await TestRepository.OpenAsync(_store, Options);
        (await CollectAsync()).MergedSegments.ShouldBe(26);
        for (var i = 0; i < 26; i++)
            (await reader.RestoreAsync(snapshots[i])).ShouldHold(new Dictionary<string, byte[]> { ["f"] = RoundTripTests.Bytes(1000, i) });
        _clock.Advance(TimeSpan.FromDays(8));
        await CollectAsync();
        _store.Names.Count(n => n.StartsWith("index/", StringComparison.Ordinal)).ShouldBe(1);
    }

    /// <summary>
    /// A pack that was marked, is needed by a recovery point after all, and loses that one while a backup takes chunks over from it unseen.
    /// </summary>
    [Fact]
    public async Task What_was_taken_over_from_a_parent_that_is_gone_is_not_committed()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 10));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        var early = await TestRepository.OpenAsync(_store, Options);
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        var parent = await early.BackUpAsync(Files(1, 10)); // refers to the marked packs
        var late = await TestRepository.OpenAsync(_store, Options);
        await using var session = late.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(late, Files(1, 10), parent);
        await late.Snapshots.DeleteAsync(parent.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        await CollectAsync();
        await Should.ThrowAsync<RepositoryException>(async () => await session.CommitAsync(
            SessionTestExtensions.Draft(_clock.GetUtcNow()) with { Parent = parent.Id }, CancellationToken.None));
        (await late.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_damaged_mark_keeps_nobody_from_backing_up_restoring_or_collecting(bool swept)
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 10));
        var kept = await repository.BackUpAsync(Files(2, 3));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        await CollectAsync();
        if (swept)
        {
            _clock.Advance(Grace + TimeSpan.FromHours(1));
            await CollectAsync();
        }

        _store.Flip(_store.Names.Single(n => n.StartsWith("collect/", StringComparison.Ordinal) && n.EndsWith(".swept", StringComparison.Ordinal) == swept), 90);
        var reader = await TestRepository.OpenAsync(_store, Options);
        (await reader.RestoreAsync(kept)).ShouldHold(Files(2, 3));
        var again = await reader.BackUpAsync(Files(1, 10));
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(Grace + TimeSpan.FromHours(1));
            await CollectAsync();
            reader = await TestRepository.OpenAsync(_store, Options);
            (await reader.RestoreAsync(again)).ShouldHold(Files(1, 10));
            (await reader.RestoreAsync(kept)).ShouldHold(Files(2, 3));
        }
    }

    [Fact]
    public async Task Packs_whose_index_segment_was_lost_are_no_garbage()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        await repository.BackUpAsync(Files(2, 1));
        var segments = _store.Names.Where(n => n.StartsWith("index/", StringComparison.Ordinal)).ToHashSet();
        // Its catalog is in the first segment, so that it can be walked; its chunks are in the lost one.
        await using (var data = repository.BeginSession(SessionTestExtensions.Options))
        {
            await data.AddFilesAsync(repository, Files(1, 5));
            await data.FlushAsync(CancellationToken.None);
        }

        var lost = _store.Names.Single(n => n.StartsWith("index/", StringComparison.Ordinal) && !segments.Contains(n));
        var snapshot = await repository.BackUpAsync(Files(1, 5));
        await _store.DeleteAsync(lost, CancellationToken.None);
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(Grace + TimeSpan.FromHours(1));
            (await CollectAsync()).DeletedPacks.ShouldBe(0);
        }

        var tolerant = await TestRepository.OpenAsync(_store, Options);
        (await new RepositoryRepair(tolerant).RunAsync(false, 2, CancellationToken.None)).Damage.ShouldBeNull();
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(snapshot)).ShouldHold(Files(1, 5));
    }

    [Fact]
    public async Task A_backup_of_many_days_commits_when_the_collection_beside_it_is_young()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 5));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        var slow = await TestRepository.OpenAsync(_store, Options);
        await using var session = slow.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(slow, Files(1, 5));
        _clock.Advance(TimeSpan.FromDays(3));
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        _clock.Advance(TimeSpan.FromHours(2));
        var snapshot = await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), CancellationToken.None);
        _clock.Advance(Grace);
        await CollectAsync();
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(snapshot)).ShouldHold(Files(1, 5));
    }

    [Fact]
    public async Task A_backup_older_than_the_marks_that_it_would_have_to_see_does_not_commit()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 5));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        var slow = await TestRepository.OpenAsync(_store, Options);
        await using var session = slow.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(slow, Files(1, 5));
        for (var i = 0; i < 6; i++)
        {
            _clock.Advance(TimeSpan.FromDays(9));
            await CollectAsync();
        }

        _store.Names.ShouldNotContain(n => n.StartsWith("collect/", StringComparison.Ordinal));
        await Should.ThrowAsync<RepositoryException>(
            async () => await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), CancellationToken.None));
    }

    private static async Task MergeAsync(BackupRepository repository) =>
        await new IndexMerger(repository.Index).MergeAsync(repository.Index.Segments, _ => false, CancellationToken.None);

    private async Task<CollectionReport> CollectAsync() => await new GarbageCollector(await TestRepository.OpenAsync(_store, Options))
        .RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None);

    private static Dictionary<string, byte[]> Files(int group, int count) =>
        Enumerable.Range(0, count).ToDictionary(i => $"g{group}/f{i:D2}", i => RoundTripTests.Bytes(300_000, (group * 1000) + i));
}
