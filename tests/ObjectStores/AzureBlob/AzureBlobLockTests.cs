using FunctionsBackup.Storage;
using FunctionsBackup.Storage.AzureBlob;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.Validation;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.AzureBlob;

/// <summary>Immutability policies: by a strict stand-in before the emulator, and what the emulator itself says.</summary>
public sealed class AzureBlobLockTests : IAsyncLifetime
{
    private static readonly RetentionLock Locked = new(LockMode.Compliance, TimeSpan.FromDays(2), n => n.StartsWith("packs/", StringComparison.Ordinal));

    private AzureBlobStoreOptions _options = null!;
    private FaultProxy _proxy = null!;

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        _proxy = await FaultProxy.StartAsync((await TestServers.AzuriteAsync()).Port);
        _options = await Stores.NewContainerAsync();
    }

    public async Task DisposeAsync() => await _proxy.DisposeAsync();

    [Theory]
    [InlineData(LockMode.Governance, 500)]
    [InlineData(LockMode.Compliance, 500)]
    [InlineData(LockMode.Compliance, 9 << 20)] // in blocks
    public async Task What_is_covered_is_locked_when_it_is_written_and_nothing_else(LockMode mode, int size)
    {
        var wanted = Locked with { Mode = mode };
        var (store, versions) = Open(wanted);
        await using var _ = store;
        var before = wanted.Until(TimeProvider.System.GetUtcNow());
        (await store.CreateAsync("packs/a", new byte[size], None)).ShouldBeTrue();
        (await store.CreateAsync("parts/a", new byte[50], None)).ShouldBeTrue();
        var found = (await store.FindLockAsync("packs/a", None)).ShouldNotBeNull();
        found.Mode.ShouldBe(mode);
        found.Until.ShouldBeInRange(before, before.AddDays(1));
        (await store.FindLockAsync("parts/a", None)).ShouldBeNull();
        (await Should.ThrowAsync<ObjectLockedException>(async () => await store.DeleteAsync("packs/a", None))).Until.ShouldBe(found.Until);
        (await UnknownOutcomeTests.ReadAsync(store, "packs/a", size)).ShouldBe(new byte[size]);
        (await store.DeleteAsync("parts/a", None)).ShouldBeTrue();
        versions.Previous.ShouldBeEmpty("a delete frees the bytes, not only the name");
        _proxy.Requests.ShouldNotContain(r => r.Target.Contains("immutabilityPolicies", StringComparison.Ordinal), "the upload itself locks");
    }

    [Fact]
    public async Task Where_the_upload_does_not_lock_it_is_done_afterwards()
    {
        var (store, _) = Open(Locked, new ImmutableVersions(TimeProvider.System) { IgnoresUploads = true });
        await using var __ = store;
        for (var i = 0; i < 2; i++) (await store.CreateAsync($"packs/{i}", new byte[5], None)).ShouldBeTrue();
        for (var i = 0; i < 2; i++) (await store.FindLockAsync($"packs/{i}", None)).ShouldNotBeNull();
    }

    [Theory]
    [InlineData(LockMode.Governance)] // the service would let us shorten it
    [InlineData(LockMode.Compliance)]
    public async Task A_lock_is_extended_and_never_shortened(LockMode mode)
    {
        var wanted = Locked with { Mode = mode };
        var (store, _) = Open(wanted);
        await using var __ = store;
        await store.CreateAsync("packs/a", new byte[5], None);
        await store.CreateAsync("free", new byte[5], None);
        var later = wanted.Until(TimeProvider.System.GetUtcNow().AddDays(40));
        (await store.ExtendLockAsync("packs/a", later, None)).ShouldBe(later);
        (await store.ExtendLockAsync("packs/a", later.AddDays(-20), None)).ShouldBe(later);
        (await store.FindLockAsync("packs/a", None)).ShouldBe(new ObjectLock(mode, later));
        (await store.ExtendLockAsync("free", later, None)).ShouldBe(later);
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await store.ExtendLockAsync("packs/none", later, None));
    }

    [Fact]
    public async Task What_is_spoilt_can_be_taken_out_of_sight_though_it_is_locked()
    {
        var (store, versions) = Open(Locked);
        await using var __ = store;
        await store.CreateAsync("packs/a", new byte[5], None);
        (await store.DeleteOrHideAsync("packs/a", None)).ShouldBeTrue();
        (await store.FindAsync("packs/a", None)).ShouldBeNull();
        (await store.CreateAsync("packs/a", new byte[6], None)).ShouldBeTrue();
        versions.Previous.Count.ShouldBe(1, "the service keeps what was locked");
    }

    [Fact]
    public async Task An_emulator_without_policies_is_refused_with_the_mend()
    {
        await using var store = new AzureBlobObjectStore(_options with { Lock = Locked });
        var error = await Should.ThrowAsync<StoreException>(async () => await store.CreateAsync("packs/a", new byte[5], None));
        error.Message.ShouldContain("enable version-level immutability");
        error.IsTransient.ShouldBeFalse();
        (await CheckAsync(store)).Outcome.ShouldBe(CheckOutcome.Failed);
    }

    [Fact]
    public async Task Validation_says_what_the_container_can_do()
    {
        var (store, _) = Open(Locked);
        await using var __ = store;
        (await CheckAsync(store)).ShouldBe(new StoreCheck(
            "retention locks", CheckOutcome.Passed, "version-level immutability; new blobs get a policy of 2 days (locked)"));
        await using var without = new AzureBlobObjectStore(_options);
        (await CheckAsync(without)).Outcome.ShouldBe(CheckOutcome.Warning);
    }

    private static async Task<StoreCheck> CheckAsync(AzureBlobObjectStore store)
    {
        var report = await new StoreValidator(store, new ValidationOptions { NeedsDelete = true }, TimeProvider.System).RunAsync(None);
        return report.Checks.Single(c => c.Name == "retention locks");
    }

    private (AzureBlobObjectStore Store, ImmutableVersions Versions) Open(RetentionLock wanted, ImmutableVersions? versions = null)
    {
        versions ??= new ImmutableVersions(TimeProvider.System);
        _proxy.StandIn = versions;
        return (new AzureBlobObjectStore(_options with { ConnectionString = AzuriteServer.ConnectionStringAt(_proxy.Port), Lock = wanted }), versions);
    }
}
