using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Replication;

/// <summary>A primary and a replica in memory, with one clock, and what was backed up.</summary>
internal sealed class ReplicaSite
{
    public static readonly TimeSpan Grace = TimeSpan.FromHours(1);

    public ReplicaSite() => (Primary, Replica) = (new InMemoryObjectStore(Clock), new InMemoryObjectStore(Clock));

    public JumpingClock Clock { get; } = new();

    public InMemoryObjectStore Primary { get; set; }

    public InMemoryObjectStore Replica { get; set; }

    /// <summary>What each recovery point that was ever taken holds.</summary>
    public Dictionary<string, Dictionary<string, byte[]>> Contents { get; } = [];

    public RepositoryOptions Options => new() { Time = Clock };

    public async Task InitAsync() => await TestRepository.CreateAsync(Primary, Options);

    public Task<BackupRepository> OpenAsync(IObjectStore store) => TestRepository.OpenAsync(store, Options);

    public async Task<Snapshot> BackUpAsync(params int[] contents)
    {
        var files = contents.ToDictionary(n => $"f{n:D2}", n => RoundTripTests.Bytes(60_000 + (n * 1000), n));
        var repository = await OpenAsync(Primary);
        var snapshot = await repository.BackUpAsync(files, at: Clock.GetUtcNow());
        Contents.Add(snapshot.Id, files);
        return snapshot;
    }

    public async Task RemoveAsync(Snapshot snapshot) => await (await OpenAsync(Primary)).Snapshots.DeleteAsync(snapshot.Id, CancellationToken.None);

    public async Task<CollectionReport> CollectAsync() =>
        await new GarbageCollector(await OpenAsync(Primary)).RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None);

    /// <summary>One pass, optionally with other stores in front of the two.</summary>
    public async Task<ReplicationReport> ReplicateAsync(IObjectStore? replica = null, IObjectStore? primary = null, ReplicationOptions? options = null)
    {
        var repository = await OpenAsync(primary ?? Primary);
        return await new Replicator(repository, replica ?? Replica, options ?? new ReplicationOptions()).RunAsync(null, CancellationToken.None);
    }

    public IEnumerable<string> Names(InMemoryObjectStore store, string prefix) =>
        store.Names.Where(n => n.StartsWith(prefix, StringComparison.Ordinal));

    public async Task<ReplicaLag> LagAsync() => await ReplicaLag.MeasureAsync(Primary, Replica, CancellationToken.None);

    /// <summary>
    /// The store is a valid repository: it opens, a full verification finds nothing, and every recovery point restores byte for byte.
    /// </summary>
    public async Task<IReadOnlyList<string>> ShouldBeValidAsync(InMemoryObjectStore store)
    {
        var copy = store.Copy(); // verification leaves results
        var repository = await OpenAsync(copy);
        var report = await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        report.Defects.ShouldBeEmpty();
        var snapshots = await repository.ListSnapshotsAsync(null, CancellationToken.None).ToListAsync();
        foreach (var snapshot in snapshots) (await repository.RestoreAsync(snapshot)).ShouldHold(Contents[snapshot.Id]);
        return [.. snapshots.Select(s => s.Id)];
    }
}
