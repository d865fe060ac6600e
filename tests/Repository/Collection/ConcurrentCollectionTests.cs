using System.Collections.Concurrent;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Sessions;
using Xunit.Abstractions;

namespace FunctionsBackup.Tests.Repository.Collection;

/// <summary>
/// Sessions, removals and collections at the same time on threads of their own, with a grace time of seconds by a clock that jumps ahead,
/// while every request to the store is held up at random. Whatever is committed and not removed restores, and a full verification is clean.
/// A schedule cannot be repeated exactly; the seed repeats its data and its decisions.
/// </summary>
public sealed class ConcurrentCollectionTests(ITestOutputHelper output)
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private const int Committers = 64;

    private readonly JumpingClock _clock = new();
    private readonly SemaphoreSlim _committing = new(Committers), _jumping = new(1);
    private readonly ConcurrentDictionary<string, (Snapshot Snapshot, Dictionary<string, byte[]> Files)> _live = new();
    private int _collections, _committed, _refused, _deletedPacks, _markedPacks, _undeleted, _repacked, _merged;

    public static TheoryData<int> Seeds() => [1, 2, 3, Random.Shared.Next()];

    public static TheoryData<int> ManySeeds() => [.. Enumerable.Range(0, 40).Select(_ => Random.Shared.Next())];

    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Nothing_committed_is_lost_beside_collectors(int seed) => RunAsync(seed, writers: 4, rounds: 20, size: 60_000);

    /// <summary>Packs large enough to be rewritten when most of them is not needed.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Nor_while_packs_are_rewritten(int seed) => RunAsync(seed, writers: 3, rounds: 8, size: 1_500_000);

    [Theory]
    [Trait("Category", "Long")]
    [MemberData(nameof(ManySeeds))]
    public Task The_same_for_longer(int seed) => RunAsync(seed, writers: 5, rounds: 40, size: seed % 4 == 0 ? 1_500_000 : 60_000);

    /// <summary>Both know the same marks, sweep the same packs, merge the same segments.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Two_collectors_at_once_agree(int seed)
    {
        var inner = new InMemoryObjectStore(_clock);
        var store = new HesitantStore(inner, seed);
        await TestRepository.CreateAsync(inner, Options);
        var random = new Random(seed);
        var all = new List<(Snapshot Snapshot, Dictionary<string, byte[]> Files)>();
        for (var round = 0; round < 10; round++)
        {
            // Two that do not know of each other: their chunks lie in two packs each.
            var files = Files(random, 60_000);
            await using (var one = await OpenAsync(inner))
            await using (var two = await OpenAsync(inner))
            {
                var snapshots = await Task.WhenAll(one.BackUpAsync(files), two.BackUpAsync(files));
                all.AddRange(snapshots.Select(s => (s, files)));
            }

            while (all.Count > 5)
            {
                var gone = all[random.Next(all.Count)];
                all.Remove(gone);
                await using var repository = await OpenAsync(inner);
                await repository.Snapshots.DeleteAsync(gone.Snapshot.Id, CancellationToken.None);
            }

            _clock.Jump(Grace * 1.2);
            await Task.WhenAll(Task.Run(() => CollectAsync(store)), Task.Run(() => CollectAsync(store)));
            await using var reader = await OpenAsync(inner);
            foreach (var (snapshot, content) in all) (await reader.RestoreAsync(snapshot)).ShouldHold(content);
        }

        output.WriteLine(Tally(seed));
        _deletedPacks.ShouldBeGreaterThan(0);
        await VerifyAsync(inner);
    }

    private async Task RunAsync(int seed, int writers, int rounds, int size)
    {
        output.WriteLine($"seed {seed}");
        var inner = new InMemoryObjectStore(_clock);
        var store = new HesitantStore(inner, seed);
        await TestRepository.CreateAsync(inner, Options);
        using var stop = new CancellationTokenSource();
        var collectors = Enumerable.Range(0, 2).Select(n => Task.Run(async () =>
        {
            var random = new Random(seed + (1000 * n));
            while (!stop.IsCancellationRequested)
            {
                await JumpAsync(Grace * (random.NextDouble() * 0.6));
                await CollectAsync(store);
            }
        })).ToList();
        await Task.WhenAll(Enumerable.Range(0, writers).Select(n => Task.Run(() => WriteAsync(store, new Random(seed + n), rounds, size))));
        await stop.CancelAsync();
        await Task.WhenAll(collectors);
        for (var i = 0; i < 3; i++)
        {
            _clock.Jump(Grace * 1.5);
            await CollectAsync(inner);
        }

        output.WriteLine(Tally(seed));
        _committed.ShouldBeGreaterThan(0);
        _deletedPacks.ShouldBeGreaterThan(0, "otherwise this shows nothing");
        await using (var reader = await OpenAsync(inner))
        {
            (await reader.ListSnapshotsAsync(null, CancellationToken.None).Select(s => s.Id).ToListAsync()).ShouldBe(_live.Keys, ignoreOrder: true);
            foreach (var (snapshot, files) in _live.Values) (await reader.RestoreAsync(snapshot)).ShouldHold(files);
        }

        await VerifyAsync(inner);
    }

    private async Task WriteAsync(IObjectStore store, Random random, int rounds, int size)
    {
        for (var round = 0; round < rounds; round++)
        {
            var files = Files(random, size);
            var parent = random.Next(2) == 0 ? _live.Values.OrderBy(_ => random.Next()).FirstOrDefault() : default;
            await using var repository = await OpenAsync(store);
            await using var session = repository.BeginSession(SessionTestExtensions.Options);
            try
            {
                await session.AddFilesAsync(repository, files, parent.Snapshot);
                if (random.Next(8) == 0) continue; // given up
                await JumpAsync(Grace * (random.NextDouble() * 0.3));

                // Collections begin and end while what was stored is not committed yet.
                var seen = Volatile.Read(ref _collections);
                for (var i = random.Next(20_000); i > 0 && Volatile.Read(ref _collections) < seen + 2; i--) await Task.Yield();
                var draft = SessionTestExtensions.Draft(_clock.GetUtcNow()) with { Parent = parent.Snapshot?.Id };
                await _committing.WaitAsync();
                try
                {
                    var snapshot = await session.CommitAsync(draft, CancellationToken.None);
                    Interlocked.Increment(ref _committed);
                    _live[snapshot.Id] = (snapshot, files);
                }
                finally
                {
                    _committing.Release();
                }
            }
            catch (RepositoryException e) when (e is not DamageException)
            {
                e.Message.ShouldContain("run it again"); // too long beside a collection, or its parent is gone
                Interlocked.Increment(ref _refused);
            }
            catch (DamageException) when (parent.Snapshot is not null && !_live.ContainsKey(parent.Snapshot.Id))
            {
                // Reading the catalog of a parent that somebody removed meanwhile.
            }

            if (random.Next(3) != 0 || _live.IsEmpty) continue;
            var id = _live.Keys.OrderBy(_ => random.Next()).FirstOrDefault();
            if (id is not null && _live.TryRemove(id, out _)) await repository.Snapshots.DeleteAsync(id, CancellationToken.None);
        }
    }

    /// <summary>
    /// Not while somebody commits: a quarter of the grace time (15 s) is what the fence leaves between its look at the marks and the record.
    /// </summary>
    private async Task JumpAsync(TimeSpan by)
    {
        await _jumping.WaitAsync();
        for (var i = 0; i < Committers; i++) await _committing.WaitAsync();
        _clock.Jump(by);
        _committing.Release(Committers);
        _jumping.Release();
    }

    private async Task CollectAsync(IObjectStore store)
    {
        await using var repository = await OpenAsync(store);
        try
        {
            var report = await new GarbageCollector(repository).RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None);
            Interlocked.Increment(ref _collections);
            Interlocked.Add(ref _deletedPacks, report.DeletedPacks);
            Interlocked.Add(ref _markedPacks, report.MarkedPacks);
            Interlocked.Add(ref _undeleted, report.UndeletedPacks);
            Interlocked.Add(ref _repacked, report.RepackedPacks);
            Interlocked.Add(ref _merged, report.MergedSegments);
        }
        catch (Exception e) when (e is RepositoryException or ObjectNotFoundException)
        {
            // A recovery point was removed, or a segment replaced, while it was looked at: a collector gives up rather than guess.
            output.WriteLine($"gave up: {e.Message}");
        }
    }

    private async Task VerifyAsync(InMemoryObjectStore store)
    {
        await using var repository = await OpenAsync(store);
        var report = await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
    }

    private string Tally(int seed) => $"seed {seed}: {_committed} committed, {_refused} refused, {_markedPacks} packs marked, {_deletedPacks} removed, "
        + $"{_undeleted} kept after all, {_repacked} rewritten, {_merged} segments merged";

    private RepositoryOptions Options => new() { Time = _clock };

    /// <summary>Disposing it leaves the store open.</summary>
    private Task<BackupRepository> OpenAsync(IObjectStore store) => TestRepository.OpenAsync(new HesitantStore(store, 0, never: true), Options);

    /// <summary>A few of some contents that come again and again, so that chunks are marked, found again, and marked again.</summary>
    private static Dictionary<string, byte[]> Files(Random random, int size) => Enumerable.Range(0, random.Next(1, 6)).Select(_ => random.Next(10)).Distinct()
        .ToDictionary(n => $"f{n:D2}", n => RoundTripTests.Bytes(size + (n * 1000), n));
}

/// <summary>A clock that goes on by itself, a little, and jumps when told. For concurrent use.</summary>
internal sealed class JumpingClock : TimeProvider
{
    private long _ticks = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero).Ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => new(Interlocked.Add(ref _ticks, 10), TimeSpan.Zero);

    public override long GetTimestamp() => Interlocked.Read(ref _ticks);

    public void Jump(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
}

/// <summary>Lets other threads go ahead at random before and after every request, so that requests interleave in ever new ways.</summary>
internal sealed class HesitantStore(IObjectStore inner, int seed, bool never = false) : IObjectStore
{
    private readonly Random _random = new(seed);

    public string Description => inner.Description;

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        await AroundAsync(() => inner.CreateAsync(name, content, cancellationToken));

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) =>
        await AroundAsync(() => inner.FindAsync(name, cancellationToken));

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        await AroundAsync(() => inner.ReadAsync(name, offset, destination, cancellationToken));

    public async IAsyncEnumerable<ObjectInfo> ListAsync(
        string prefix, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var info in inner.ListAsync(prefix, cancellationToken))
        {
            await HesitateAsync();
            yield return info;
        }
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) =>
        await AroundAsync(() => inner.DeleteAsync(name, cancellationToken));

    /// <summary>The store outlives those who use it.</summary>
    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private async ValueTask<T> AroundAsync<T>(Func<ValueTask<T>> request)
    {
        await HesitateAsync();
        var result = await request();
        await HesitateAsync();
        return result;
    }

    private async ValueTask HesitateAsync()
    {
        if (never) return;
        int times;
        lock (_random) times = _random.Next(4) == 0 ? _random.Next(1, 40) : 0;
        for (var i = 0; i < times; i++) await Task.Yield();
    }
}
