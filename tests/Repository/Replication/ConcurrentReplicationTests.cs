using System.Collections.Concurrent;
using System.Globalization;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;
using Xunit.Abstractions;

namespace FunctionsBackup.Tests.Repository.Replication;

/// <summary>
/// Backups, removals and collections on the primary beside replication. The seed repeats data and decisions, not the schedule.
/// </summary>
public sealed class ConcurrentReplicationTests(ITestOutputHelper output)
{
    private const int Committers = 16;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(60);

    private readonly JumpingClock _clock = new();
    private readonly SemaphoreSlim _committing = new(Committers), _jumping = new(1);
    private readonly ConcurrentDictionary<string, bool> _live = new();
    private int _deleted, _removed, _looks, _passes, _gaveUp;

    public static TheoryData<int> Seeds() => [1, 2, 3, Random.Shared.Next()];

    /// <summary>Somebody looks at the replica at any moment: it is always a valid repository.</summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public Task The_replica_is_valid_at_any_moment_and_complete_in_the_end(int seed) => RunAsync(seed, passes: 1);

    /// <summary>
    /// Two passes at once, as of two hosts: one may create again what the other has just removed, so that for a time the replica names what it
    /// does not need. It is complete and valid when passes have come one after the other again.
    /// </summary>
    [Theory]
    [MemberData(nameof(Seeds))]
    public Task Of_two_passes_at_once_none_takes_what_is_needed(int seed) => RunAsync(seed, passes: 2);

    private async Task RunAsync(int seed, int passes)
    {
        output.WriteLine($"seed {seed}");
        var (primary, replica) = (new InMemoryObjectStore(_clock), new InMemoryObjectStore(_clock));
        await TestRepository.CreateAsync(primary, Options);
        using var stop = new CancellationTokenSource();
        List<Task> others =
        [
            Task.Run(() => CollectAsync(new HesitantStore(primary, seed), new Random(seed), stop.Token)),
            .. Enumerable.Range(0, passes).Select(n => Task.Run(
                () => ReplicateAsync(new HesitantStore(primary, seed + n), new HesitantStore(replica, seed + n), stop.Token))),
            Task.Run(() => passes == 1 ? LookAsync(replica, stop.Token) : Task.CompletedTask),
        ];
        await Task.WhenAll(Enumerable.Range(0, 3).Select(n => Task.Run(() => WriteAsync(new HesitantStore(primary, seed + n), new Random(seed + n)))));
        await stop.CancelAsync();
        await Task.WhenAll(others);

        for (var i = 0; i < 4; i++)
        {
            _clock.Jump(Grace * 1.5);
            await CollectOnceAsync(primary);
            await ReplicateOnceAsync(primary, replica);
        }

        output.WriteLine($"{_live.Count} live, {_deleted} packs collected, {_removed} objects removed from the replica, {_passes} passes, {_gaveUp} given up, {_looks} looks");
        _deleted.ShouldBeGreaterThan(0);
        _removed.ShouldBeGreaterThan(0);
        (await ValidateAsync(replica)).ShouldBe(_live.Keys, ignoreOrder: true);
        // The other way round not always: a pass may still create a pack that the other pass has just collected, which nothing needs.
        primary.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).ShouldBeSubsetOf(replica.Names);
    }

    private RepositoryOptions Options => new() { Time = _clock };

    private async Task WriteAsync(IObjectStore store, Random random)
    {
        for (var round = 0; round < 15; round++)
        {
            var files = Enumerable.Range(0, random.Next(1, 5)).Select(_ => random.Next(10)).Distinct().ToDictionary(n => $"f{n:D2}", Content);
            var repository = await TestRepository.OpenAsync(store, Options);
            await using var session = repository.BeginSession(SessionTestExtensions.Options);
            try
            {
                await session.AddFilesAsync(repository, files);
                await JumpAsync(Grace * (random.NextDouble() * 0.3));
                await _committing.WaitAsync();
                try
                {
                    _live[(await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), CancellationToken.None)).Id] = true;
                }
                finally
                {
                    _committing.Release();
                }
            }
            catch (RepositoryException e) when (e is not DamageException)
            {
                e.Message.ShouldContain("run it again");
            }

            if (random.Next(2) == 0 && _live.Keys.Order(StringComparer.Ordinal).Skip(random.Next(3)).FirstOrDefault() is { } id && _live.TryRemove(id, out _))
                await repository.Snapshots.DeleteAsync(id, CancellationToken.None);
        }
    }

    private static byte[] Content(int n) => RoundTripTests.Bytes(60_000 + (n * 1000), n);

    /// <summary>Not while somebody commits, which the fence counts on to be short.</summary>
    private async Task JumpAsync(TimeSpan by)
    {
        await _jumping.WaitAsync();
        for (var i = 0; i < Committers; i++) await _committing.WaitAsync();
        _clock.Jump(by);
        _committing.Release(Committers);
        _jumping.Release();
    }

    private async Task CollectAsync(IObjectStore store, Random random, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            await JumpAsync(Grace * (random.NextDouble() * 0.6));
            await CollectOnceAsync(store);
        }
    }

    private async Task CollectOnceAsync(IObjectStore store)
    {
        try
        {
            var collector = new GarbageCollector(await TestRepository.OpenAsync(store, Options));
            Interlocked.Add(ref _deleted, (await collector.RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None)).DeletedPacks);
        }
        catch (Exception e) when (e is RepositoryException or ObjectNotFoundException)
        {
            Interlocked.Increment(ref _gaveUp); // a recovery point was removed while it was looked at
        }
    }

    private async Task ReplicateAsync(IObjectStore primary, IObjectStore replica, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var begins = _passes == 0;
            try
            {
                await ReplicateOnceAsync(primary, replica);
            }
            catch (StoreException e) when (e.IsTransient)
            {
                Interlocked.Increment(ref _gaveUp); // the index was merged too often meanwhile
            }
            catch (ReplicaRefusedException) when (begins)
            {
                Interlocked.Increment(ref _gaveUp); // another one is just beginning the replica
            }
        }
    }

    private async Task ReplicateOnceAsync(IObjectStore primary, IObjectStore replica)
    {
        var repository = await TestRepository.OpenAsync(primary, Options);
        var report = await new Replicator(repository, replica, new ReplicationOptions()).RunAsync(null, CancellationToken.None);
        report.Damaged.ShouldBeEmpty();
        Interlocked.Add(ref _removed, (int)report.RemovedObjects);
        Interlocked.Increment(ref _passes);
    }

    private async Task LookAsync(InMemoryObjectStore replica, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            var copy = replica.Copy();
            if (copy.Names.Contains("config")) await ValidateAsync(copy);
            else await Task.Yield();
        }
    }

    private async Task<IReadOnlyList<string>> ValidateAsync(InMemoryObjectStore store)
    {
        var copy = store.Copy();
        var repository = await TestRepository.OpenAsync(copy, Options);
        var report = await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
        var snapshots = await repository.ListSnapshotsAsync(null, CancellationToken.None).ToListAsync();
        foreach (var snapshot in snapshots)
            foreach (var (name, bytes) in await repository.RestoreAsync(snapshot))
                bytes.AsSpan().SequenceEqual(Content(int.Parse(name[1..], CultureInfo.InvariantCulture))).ShouldBeTrue(name);
        Interlocked.Increment(ref _looks);
        return [.. snapshots.Select(s => s.Id)];
    }
}
