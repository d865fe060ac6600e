using System.Runtime.CompilerServices;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Runs;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Collection;

/// <summary>Collections and restores that were held up, and act on what they saw when others have gone on.</summary>
public sealed class SlowCollectorTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public SlowCollectorTests() => _store = new InMemoryObjectStore(_clock);

    private RepositoryOptions Options => new() { Time = _clock };

    /// <summary>
    /// Chunks lie in two packs, each marked by a mark of its own. The slow one writes down that the second stays, and is held up before it
    /// merges the index. By that record another one finds the second pack good, and removes the first. If the slow one then chose one place
    /// for each chunk by what it knew, it could choose the one that has gone.
    /// </summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task A_merge_that_comes_late_names_every_place_that_is_left(int round)
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        // Two that do not know of each other: the chunks lie in packs of both.
        var one = await TestRepository.OpenAsync(_store, Options);
        var two = await TestRepository.OpenAsync(_store, Options);
        var (first, old) = await StoreAsync(one, round, "a");
        var (second, twin) = await StoreAsync(two, round, "b");
        await repository.Snapshots.DeleteAsync([old, twin], CancellationToken.None);

        // Opened before the marks were made: refers to what they condemn.
        var early = await TestRepository.OpenAsync(_store, Options);
        var marks = new CollectionMarks(_store, early.Sealed);
        await marks.AddAsync(new CollectionMark([first.Metadata, second.Data, second.Metadata], Grace.TotalSeconds), CancellationToken.None);
        _clock.Advance(TimeSpan.FromHours(2));
        await marks.AddAsync(new CollectionMark([first.Data], Grace.TotalSeconds), CancellationToken.None);
        var saved = await early.BackUpAsync(Files(round, "c"));
        saved.Statistics.NewBytes.ShouldBeLessThan(100_000, "the chunks were there");

        _clock.Advance(TimeSpan.FromHours(22.5)); // the time of the mark that was made first is over
        var slow = new RacingStore(_store, IndexFormat.Prefix, async () =>
        {
            _clock.Advance(TimeSpan.FromHours(3));
            (await CollectAsync(_store)).DeletedPacks.ShouldBe(1);
            _store.Names.ShouldNotContain(first.Data);
        });
        (await CollectAsync(slow)).DeletedPacks.ShouldBe(2);

        _store.Names.ShouldContain(second.Data);
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(saved)).ShouldHold(Files(round, "c"));
        _clock.Advance(TimeSpan.FromHours(1));
        await CollectAsync(_store);
        var reader = await TestRepository.OpenAsync(_store, Options);
        (await reader.RestoreAsync(saved)).ShouldHold(Files(round, "c"));
        reader.Index.Packs().Select(p => p.Name).ShouldBeSubsetOf(_store.Names, "the next one takes out what came back");
    }

    /// <summary>The one list shows neither the parent, which went meanwhile, nor its successor, which came meanwhile.</summary>
    [Fact]
    public async Task A_list_in_which_two_recovery_points_changed_places_is_made_again()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var (packs, old) = await StoreAsync(repository, 1, "a");
        var early = await TestRepository.OpenAsync(_store, Options);
        await new CollectionMarks(_store, early.Sealed).AddAsync(
            new CollectionMark([packs.Data, packs.Metadata], Grace.TotalSeconds), CancellationToken.None);
        var parent = (await early.Snapshots.FindAsync(old, CancellationToken.None))!;
        _clock.Advance(Grace + TimeSpan.FromHours(1));

        Snapshot? successor = null;
        var late = await TestRepository.OpenAsync(_store, Options);
        var changing = new ListingStore(_store, "snapshots/", async listed =>
        {
            await using var session = late.BeginSession(SessionTestExtensions.Options);
            await session.AddFilesAsync(late, Files(1, "a"), parent);
            successor = await session.CommitAsync(
                SessionTestExtensions.Draft(_clock.GetUtcNow()) with { Parent = parent.Id }, CancellationToken.None);
            await late.Snapshots.DeleteAsync(parent.Id, CancellationToken.None);
            return listed.Where(i => !i.Name.EndsWith(parent.Id, StringComparison.Ordinal));
        }, after: 1); // the first one looks for what was lost
        await CollectAsync(changing);
        successor.ShouldNotBeNull();
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(successor)).ShouldHold(Files(1, "a"));
    }

    /// <summary>A merge of several segments: whoever lists while it ends may see the last one, which replaces others, and not the one before.</summary>
    [Fact]
    public async Task An_index_of_which_a_part_was_not_listed_is_listed_again()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var snapshot = await repository.BackUpAsync(Files(1, "a"));
        var whole = repository.Index.Segments.Single();
        await new IndexMerger(repository.Index).MergeAsync([whole], p => p.Kind == PackKind.Data, CancellationToken.None, supersede: false);
        var part = repository.Index.Segments.Single(s => s.Name != whole.Name).Name;
        await new IndexMerger(repository.Index).MergeAsync([whole], p => p.Kind == PackKind.Metadata, CancellationToken.None);
        var partly = new ListingStore(_store, "index/", listed => Task.FromResult(listed.Where(i => i.Name != part)));
        (await (await TestRepository.OpenAsync(partly, Options)).RestoreAsync(snapshot)).ShouldHold(Files(1, "a"));
    }

    [Fact]
    public async Task A_restore_that_outlasts_the_rewriting_of_its_packs_finds_the_copies()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var all = await repository.BackUpAsync(Many(30));
        var few = await repository.BackUpAsync(Many(3));
        var slow = await TestRepository.OpenAsync(_store, Options);
        await repository.Snapshots.DeleteAsync(all.Id, CancellationToken.None);
        var before = _store.Names.ToHashSet();
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(Grace + TimeSpan.FromHours(1));
            await CollectAsync(_store);
        }

        before.Count(n => n.StartsWith("packs/", StringComparison.Ordinal) && !_store.Names.Contains(n)).ShouldBeGreaterThan(0, "they were rewritten");
        (await slow.RestoreAsync(few)).ShouldHold(Many(3));
        await using var session = slow.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(slow, Many(3));
        session.NewBytes.ShouldBe(0, "the copies are known from now on");
    }

    private async Task<((string Data, string Metadata) Packs, string Id)> StoreAsync(BackupRepository repository, int round, string prefix)
    {
        var before = _store.Names;
        var snapshot = await repository.BackUpAsync(Files(round, prefix));
        var packs = _store.Names.Except(before).Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).OrderByDescending(n => _store.Get(n).Length).ToList();
        packs.Count.ShouldBe(2);
        return ((packs[0], packs[1]), snapshot.Id);
    }

    private async Task<CollectionReport> CollectAsync(IObjectStore store) =>
        await new GarbageCollector(await TestRepository.OpenAsync(store, Options))
            .RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None);

    /// <summary>The same contents under other names.</summary>
    private static Dictionary<string, byte[]> Files(int round, string prefix) =>
        Enumerable.Range(0, 5).ToDictionary(i => $"{prefix}{i:D2}", i => RoundTripTests.Bytes(300_000, (round * 100) + i));

    private static Dictionary<string, byte[]> Many(int count) => Enumerable.Range(0, count).ToDictionary(i => $"m{i:D2}", i => RoundTripTests.Bytes(300_000, i));

    /// <summary>Changes what one list of a prefix shows: the first, or one after it.</summary>
    private sealed class ListingStore(
        IObjectStore inner, string prefix, Func<List<ObjectInfo>, Task<IEnumerable<ObjectInfo>>> change, int after = 0) : IObjectStore
    {
        private int _before = after;

        public string Description => inner.Description;

        public async IAsyncEnumerable<ObjectInfo> ListAsync(string under, [EnumeratorCancellation] CancellationToken cancellationToken)
        {
            IEnumerable<ObjectInfo> listed = await inner.ListAsync(under, cancellationToken).ToListAsync(cancellationToken);
            if (under == prefix && Interlocked.Decrement(ref _before) == -1) listed = await change([.. listed]);
            foreach (var info in listed) yield return info;
        }

        public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            inner.CreateAsync(name, content, cancellationToken);

        public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
