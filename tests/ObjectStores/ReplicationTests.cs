using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Tests.Conformance;

namespace FunctionsBackup.Tests.ObjectStores;

/// <summary>A repository in Azure Blob with a replica in S3, and the other way round, on real servers.</summary>
public sealed class ReplicationTests
{
    [Theory]
    [InlineData(StoreKind.AzureBlob, StoreKind.S3)]
    [InlineData(StoreKind.S3, StoreKind.AzureBlob)]
    public async Task A_replica_of_another_kind_restores_alone_and_each_side_heals_the_other(StoreKind primaryKind, StoreKind replicaKind)
    {
        var (openPrimary, openReplica) = (await OpenerAsync(primaryKind), await OpenerAsync(replicaKind));
        using var world = new World();
        world.AddFiles("calls", 60, 400_000, seed: 3);
        await World.CreateAsync(openPrimary());
        var snapshot = await world.BackUpAsync(openPrimary());

        var report = await ReplicateAsync(openPrimary, openReplica);
        report.CopiedBytes.ShouldBeGreaterThan(20_000_000);
        World.Contents(await world.RestoreAsync(openReplica(), snapshot.Id)).ShouldBe(World.Contents(world.Source), ignoreOrder: true);

        foreach (var (spoilt, good) in new[] { (openPrimary, openReplica), (openReplica, openPrimary) })
        {
            await SpoilAsync(spoilt);
            await using (var store = new FallbackStore(spoilt(), [good()]))
            {
                World.Contents(await world.RestoreAsync(new Unowned(store), snapshot.Id)).ShouldBe(World.Contents(world.Source), ignoreOrder: true);
                store.Answers.ShouldNotBeEmpty();
            }

            var healed = await HealAsync(openPrimary, openReplica);
            healed.Unhealed.ShouldBeEmpty();
            healed.Healed.Count.ShouldBeGreaterThanOrEqualTo(2);
            await using var repository = await TestRepository.OpenAsync(spoilt());
            (await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None))
                .Defects.ShouldBeEmpty();
        }

        world.AddFiles("more", 10, 400_000, seed: 4);
        var next = await world.BackUpAsync(openPrimary());
        (await ReplicateAsync(openPrimary, openReplica)).CopiedBytes.ShouldBeInRange(4_000_000, 8_000_000);
        World.Contents(await world.RestoreAsync(openReplica(), next.Id)).ShouldBe(World.Contents(world.Source), ignoreOrder: true);
    }

    private static async Task<Func<IObjectStore>> OpenerAsync(StoreKind kind)
    {
        if (kind == StoreKind.S3)
        {
            var bucket = await Stores.NewBucketAsync();
            return () => new S3ObjectStore(bucket, TimeProvider.System);
        }

        var container = await Stores.NewContainerAsync();
        return () => new AzureBlobObjectStore(container, TimeProvider.System);
    }

    private static async Task<ReplicationReport> ReplicateAsync(Func<IObjectStore> primary, Func<IObjectStore> replica)
    {
        await using var repository = await TestRepository.OpenAsync(primary());
        await using var store = replica();
        var report = await new Replicator(repository, store, new ReplicationOptions { Parallelism = 4 }).RunAsync(null, CancellationToken.None);
        report.Damaged.ShouldBeEmpty();
        (await ReplicaLag.MeasureAsync(repository.Store, store, CancellationToken.None)).MissingObjects.ShouldBe(0);
        return report;
    }

    /// <summary>A pack with other bytes, and a record that is gone.</summary>
    private static async Task SpoilAsync(Func<IObjectStore> open)
    {
        await using var store = open();
        var pack = (await store.ListAsync("packs/", CancellationToken.None).FirstAsync()).Name;
        var bytes = new byte[100_000];
        await store.ReadAsync(pack, 0, bytes, CancellationToken.None);
        await store.DeleteAsync(pack, CancellationToken.None);
        await store.CreateAsync(pack, bytes.AsMemory(0, 90_000), CancellationToken.None);
        var segment = (await store.ListAsync("index/", CancellationToken.None).FirstAsync()).Name;
        var read = await store.ReadAsync(segment, 0, bytes, CancellationToken.None);
        bytes[80] ^= 1;
        await store.DeleteAsync(segment, CancellationToken.None);
        await store.CreateAsync(segment, bytes.AsMemory(0, read), CancellationToken.None);
    }

    private static async Task<HealingReport> HealAsync(Func<IObjectStore> openPrimary, Func<IObjectStore> openReplica)
    {
        await using var primary = openPrimary();
        await using var replica = openReplica();
        using var keys = await KeyRingFactory.UnlockAsync(primary, KeyCredential.Clear, CancellationToken.None);
        return await new ReplicaHealing(keys, primary, replica, new HealingOptions(), TimeProvider.System).RunAsync(CancellationToken.None);
    }

    /// <summary>The restore disposes of its store, and what was answered is asked afterwards.</summary>
    private sealed class Unowned(FallbackStore inner) : IObjectStore, ICopies
    {
        public string Description => inner.Description;

        public int CopyOf(string name) => inner.CopyOf(name);

        public ValueTask<bool> TryNextCopyAsync(string name, int copy, string problem, CancellationToken cancellationToken) =>
            inner.TryNextCopyAsync(name, copy, problem, cancellationToken);

        public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
            inner.CreateAsync(name, content, cancellationToken);

        public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

        public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
            inner.ReadAsync(name, offset, destination, cancellationToken);

        public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

        public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => inner.DeleteAsync(name, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
