using System.Net;
using Amazon.S3;
using Amazon.S3.Model;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Locks;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Storage.S3;
using FunctionsBackup.Storage.Validation;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.ObjectStores.S3;

/// <summary>
/// Object Lock on the real gateway. That ignores If-None-Match in buckets that keep versions; the proxy stands in for a service that honours
/// it, as Amazon's does.
/// </summary>
public sealed class S3LockTests : IAsyncLifetime
{
    private static readonly RetentionLock Governance = new(LockMode.Governance, TimeSpan.FromDays(2), n => n.StartsWith("packs/", StringComparison.Ordinal));

    private S3StoreOptions _options = null!; // of a bucket with Object Lock, by the proxy
    private FaultProxy _proxy = null!;
    private AmazonS3Client _client = null!;  // beside it

    private static CancellationToken None => CancellationToken.None;

    public async Task InitializeAsync()
    {
        var options = await Stores.NewBucketAsync();
        _client = Stores.S3Client(options.Endpoint!);
        _proxy = await FaultProxy.StartAsync(options.Endpoint!.Port);
        var bucket = Stores.NewName();
        await _client.PutBucketAsync(new PutBucketRequest { BucketName = bucket, ObjectLockEnabledForBucket = true });
        _proxy.Refuse = S3Services.HonourWithVersions(_client, bucket);
        _options = options with { Bucket = bucket, Endpoint = RgwServer.EndpointAt(_proxy.Port) };
    }

    public async Task DisposeAsync()
    {
        _client.Dispose();
        await _proxy.DisposeAsync();
    }

    [Theory]
    [InlineData(LockMode.Governance)]
    [InlineData(LockMode.Compliance)]
    public async Task What_is_covered_is_locked_when_it_is_written_and_nothing_else(LockMode mode)
    {
        var options = _options with { Lock = Governance with { Mode = mode } };
        await using var store = new S3ObjectStore(options);
        var before = options.Lock.Until(TimeProvider.System.GetUtcNow());
        (await store.CreateAsync("packs/a", new byte[5000], None)).ShouldBeTrue();
        (await store.CreateAsync("parts/a", new byte[50], None)).ShouldBeTrue();

        var found = (await store.FindLockAsync("packs/a", None)).ShouldNotBeNull();
        found.Mode.ShouldBe(mode);
        found.Until.ShouldBeInRange(before, before.AddDays(1));
        (await store.FindLockAsync("parts/a", None)).ShouldBeNull();
        var error = await Should.ThrowAsync<ObjectLockedException>(async () => await store.DeleteAsync("packs/a", None));
        error.Until.ShouldBe(found.Until);
        (await UnknownOutcomeTests.ReadAsync(store, "packs/a", 5000)).ShouldBe(new byte[5000]);
        (await store.DeleteAsync("parts/a", None)).ShouldBeTrue();
        (await VersionsAsync( "parts/a")).ShouldBeEmpty("a delete frees the bytes, not only the name");
    }

    [Fact]
    public async Task The_service_itself_keeps_the_bytes()
    {
        var options = _options with { Lock = Governance };
        await using var store = new S3ObjectStore(options);
        await store.CreateAsync("packs/a", new byte[500], None);
        var version = (await VersionsAsync( "packs/a")).ShouldHaveSingleItem();
        var refused = await Should.ThrowAsync<AmazonS3Exception>(() => _client.DeleteObjectAsync(options.Bucket, "packs/a", version.VersionId));
        refused.StatusCode.ShouldBe(HttpStatusCode.Forbidden);

        // A clock that is ahead makes us try; what the service says then is taken for what it is.
        await using var early = new S3ObjectStore(options, new TestClock(TimeProvider.System.GetUtcNow().AddDays(30)));
        await Should.ThrowAsync<ObjectLockedException>(async () => await early.DeleteAsync("packs/a", None));
        (await VersionsAsync( "packs/a")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task What_must_be_gone_goes_with_its_older_versions_beside_what_is_locked()
    {
        // As where keys of data subjects are destroyed: hidden copies of before count too.
        await using var store = new S3ObjectStore(_options with { Lock = Governance });
        await store.CreateAsync("packs/a", new byte[500], None);
        await store.CreateAsync("subjects/a", new byte[50], None);
        for (var i = 0; i < 3; i++)
        {
            await store.HideAsync("subjects/a", None);
            (await store.CreateAsync("subjects/a", new byte[60 + i], None)).ShouldBeTrue("restored from somewhere");
        }

        await store.CreateAsync("subjects/ab", new byte[50], None);
        (await VersionsAsync("subjects/a")).Count(v => v.Key == "subjects/a").ShouldBeGreaterThan(3);
        (await store.PurgeAsync("subjects/a", None)).ShouldBeNull();
        (await VersionsAsync("subjects/a")).ShouldHaveSingleItem().Key.ShouldBe("subjects/ab");
        (await store.PurgeAsync("subjects/a", None)).ShouldBeNull("nothing is there");
        (await VersionsAsync("packs/a")).ShouldHaveSingleItem();
    }

    [Fact]
    public async Task A_lock_is_extended_and_never_shortened()
    {
        var options = _options with { Lock = Governance };
        await using var store = new S3ObjectStore(options);
        await store.CreateAsync("packs/a", new byte[500], None);
        await store.CreateAsync("free", new byte[500], None);
        var later = Governance.Until(TimeProvider.System.GetUtcNow().AddDays(40));
        (await store.ExtendLockAsync("packs/a", later, None)).ShouldBe(later);
        (await store.ExtendLockAsync("packs/a", later.AddDays(-20), None)).ShouldBe(later);
        (await store.FindLockAsync("packs/a", None))!.Until.ShouldBe(later);
        (await store.ExtendLockAsync("free", later, None)).ShouldBe(later); // one that was written before there were locks
        (await store.FindLockAsync("free", None))!.Until.ShouldBe(later);
        await Should.ThrowAsync<ObjectNotFoundException>(async () => await store.ExtendLockAsync("packs/none", later, None));
    }

    [Fact]
    public async Task An_upload_in_parts_is_locked_though_the_service_ignores_the_wish()
    {
        await using var store = new S3ObjectStore(_options with { Lock = Governance, Limits = Stores.Limits with { SinglePutLimit = 1 << 20 } });
        for (var i = 0; i < 2; i++) (await store.CreateAsync($"packs/{i}", new byte[6 << 20], None)).ShouldBeTrue();
        for (var i = 0; i < 2; i++) (await store.FindLockAsync($"packs/{i}", None)).ShouldNotBeNull();
        _proxy.Requests.ShouldContain(r => r.Target.Contains("uploadId=", StringComparison.Ordinal));
        await Should.ThrowAsync<ObjectLockedException>(async () => await store.DeleteAsync("packs/1", None));
    }

    [Fact]
    public async Task A_lock_costs_one_request_per_process_not_one_per_object()
    {
        await using var store = new S3ObjectStore(_options with { Lock = Governance });
        await store.CreateAsync("packs/0", new byte[10], None);
        _proxy.Forget();
        for (var i = 1; i < 6; i++) await store.CreateAsync($"packs/{i}", new byte[10], None);
        _proxy.Requests.Count.ShouldBe(5);
        _proxy.Requests.ShouldAllBe(r => r.Headers.ContainsKey("Content-MD5"));
    }

    [Fact]
    public async Task A_bucket_that_cannot_lock_is_refused_with_the_mend()
    {
        var options = await Stores.NewBucketAsync();
        await using var store = new S3ObjectStore(options with { Lock = Governance });
        var error = await Should.ThrowAsync<StoreException>(async () => await store.CreateAsync("packs/a", new byte[5], None));
        error.Message.ShouldContain("no Object Lock");
        error.IsTransient.ShouldBeFalse();
        (await store.CreateAsync("parts/a", new byte[5], None)).ShouldBeTrue();
    }

    [Fact]
    public async Task Who_may_not_remove_versions_leaves_them_and_is_not_stopped()
    {
        _proxy.StandIn = new NoVersionDeletes();
        await using var store = new S3ObjectStore(_options);
        for (var i = 0; i < 2; i++) await store.CreateAsync($"a{i}", new byte[5], None);
        _proxy.Forget();
        for (var i = 0; i < 2; i++) (await store.DeleteAsync($"a{i}", None)).ShouldBeTrue();
        (await store.FindAsync("a0", None)).ShouldBeNull();
        (await VersionsAsync( "a0")).Count.ShouldBe(2); // the bytes, and the marker on top of them
        _proxy.Requests.Count(r => r.Target.Contains("versionId=", StringComparison.Ordinal)).ShouldBe(1, "tried once, not for every object");
        (await store.CreateAsync("a0", new byte[6], None)).ShouldBeTrue();
    }

    [Fact]
    public async Task What_is_spoilt_can_be_taken_out_of_sight_though_it_is_locked()
    {
        var options = _options with { Lock = Governance };
        await using var store = new S3ObjectStore(options);
        await store.CreateAsync("packs/a", new byte[5], None);
        (await store.DeleteOrHideAsync("packs/a", None)).ShouldBeTrue();
        (await store.FindAsync("packs/a", None)).ShouldBeNull();
        (await store.CreateAsync("packs/a", new byte[6], None)).ShouldBeTrue();
        (await UnknownOutcomeTests.ReadAsync(store, "packs/a", 6)).ShouldBe(new byte[6]);
        (await VersionsAsync( "packs/a")).Count.ShouldBe(3);
        (await store.DeleteOrHideAsync("packs/none", None)).ShouldBeFalse();
    }

    [Fact]
    public async Task A_whole_repository_lives_behind_locks()
    {
        var options = _options with { Lock = new RetentionLock(LockMode.Compliance, TimeSpan.FromDays(5), LockedObjects.Covers) };
        using var world = new World();
        world.AddFiles("calls", 20, 100_000, 1);
        await World.CreateAsync(new S3ObjectStore(options));
        var snapshot = await world.BackUpAsync(new S3ObjectStore(options));
        await using (var repository = await TestRepository.OpenAsync(new S3ObjectStore(options)))
        {
            await Should.ThrowAsync<ObjectLockedException>(async () => await repository.Snapshots.DeleteAsync(snapshot.Id, None));
            (await new GarbageCollector(repository).RunAsync(new CollectionOptions(), None)).RenewedLocks.ShouldBe(0, "all is locked for long enough");
            await foreach (var info in repository.Store.ListAsync("", None))
                (await ((ILockingStore)repository.Store).FindLockAsync(info.Name, None) is not null).ShouldBe(LockedObjects.Covers(info.Name), info.Name);
        }

        _proxy.Forget();
        await using (var again = await TestRepository.OpenAsync(new S3ObjectStore(options)))
            await new GarbageCollector(again).RunAsync(new CollectionOptions(), None);
        _proxy.Requests.ShouldNotContain(r => r.Method == "HEAD" && r.Target.Contains("/packs/", StringComparison.Ordinal), "what is known is not asked for");
        World.Contents(await world.RestoreAsync(new S3ObjectStore(options), snapshot.Id)).ShouldBe(World.Contents(world.Source), ignoreOrder: true);
    }

    [Fact]
    public async Task Validation_says_what_the_bucket_can_do()
    {
        var locking = _options;
        var plain = await Stores.NewBucketAsync();
        (await CheckAsync(locking with { Lock = Governance })).ShouldSatisfyAllConditions(
            c => c["versioning"].Outcome.ShouldBe(CheckOutcome.Passed),
            c => c["retention locks"].ShouldBe(new StoreCheck(
                "retention locks", CheckOutcome.Passed, "Object Lock; new objects are locked for 2 days (governance)")));
        (await CheckAsync(locking))["retention locks"].Outcome.ShouldBe(CheckOutcome.Warning);
        (await CheckAsync(plain with { Lock = Governance }))["retention locks"].Outcome.ShouldBe(CheckOutcome.Failed);
        (await CheckAsync(plain)).ShouldSatisfyAllConditions(
            c => c["versioning"].Outcome.ShouldBe(CheckOutcome.Warning), c => c["retention locks"].Outcome.ShouldBe(CheckOutcome.Warning));
        var left = await _client.ListVersionsAsync(new ListVersionsRequest { BucketName = locking.Bucket });
        (left.Versions ?? []).ShouldBeEmpty("validation leaves nothing behind, also where versions are kept");
    }

    private static async Task<Dictionary<string, StoreCheck>> CheckAsync(S3StoreOptions options)
    {
        await using var store = new S3ObjectStore(options);
        var report = await new StoreValidator(store, new ValidationOptions { NeedsDelete = true }, TimeProvider.System).RunAsync(None);
        return report.Checks.ToDictionary(c => c.Name);
    }

    /// <summary>All versions and markers of a key.</summary>
    private async Task<List<S3ObjectVersion>> VersionsAsync(string key)
    {
        var page = await _client.ListVersionsAsync(new ListVersionsRequest { BucketName = _options.Bucket, Prefix = key });
        return page.Versions ?? [];
    }

    private sealed class NoVersionDeletes : IStandIn
    {
        public ValueTask<StandInAnswer?> AnswerAsync(ProxiedRequest request) => ValueTask.FromResult(
            request.Method == "DELETE" && request.Target.Contains("versionId=", StringComparison.Ordinal)
                ? new StandInAnswer(
                    403, new Dictionary<string, string> { ["Content-Type"] = "application/xml" },
                    "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>")
                : null);

        public IReadOnlyDictionary<string, string> Amend(ProxiedRequest request, int status) => new Dictionary<string, string>();
    }

    private sealed class TestClock(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
