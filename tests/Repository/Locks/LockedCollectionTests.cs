using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Damage;
using FunctionsBackup.Repository.Locks;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Storage.Locks;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Locks;

public sealed class LockedCollectionTests
{
    private static readonly RetentionLock TenDays = new(LockMode.Compliance, TimeSpan.FromDays(10), LockedObjects.Covers);

    private readonly ManualClock _clock = new();
    private readonly LockingStore _store;

    public LockedCollectionTests() => _store = new LockingStore(new InMemoryObjectStore(_clock), _clock, TenDays);

    private static CancellationToken None => CancellationToken.None;

    [Theory]
    [InlineData("config", true)]
    [InlineData("keys/m1-00/slots/ab", true)]
    [InlineData("packs/ab/abcd", true)]
    [InlineData("snapshots/20261126T010000Z-logs-00001234", true)]
    [InlineData("witness/snapshots/20261126T010000Z-logs-00001234", true)]
    [InlineData("points/20261126T010000Z-00001234", true)]
    [InlineData("wal/7/00000001/000000010000000000000001", true)]
    [InlineData("wal/7/00000001/000000010000000000000001.parts/00000000-00001000", false)]
    [InlineData("audit/segments/ab/0000000001", true)]
    [InlineData("index/ab", false)]
    [InlineData("parts/run/plan", false)]
    [InlineData("collect/ab", false)]
    [InlineData("probe/ab", false)]
    [InlineData("pins/ab", false)]
    [InlineData("witness/pins/ab", false)]
    [InlineData("verify/ab", false)]
    [InlineData("locks/ab", false)]
    [InlineData("configuration", false)]
    public void What_recovery_points_need_is_locked_and_what_must_go_is_not(string name, bool covered) => LockedObjects.Covers(name).ShouldBe(covered);

    [Theory]
    [InlineData(1, 16)]
    [InlineData(3, 48)]
    [InlineData(30, 240)]
    [InlineData(365, 2920)]
    public void A_lock_is_renewed_while_a_run_a_day_comes_in_time(int days, int hours) =>
        RetentionLocks.Threshold(TimeSpan.FromDays(days)).ShouldBe(TimeSpan.FromHours(hours));

    [Fact]
    public async Task A_backup_works_and_its_claims_go_though_everything_else_is_locked()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var snapshot = await repository.BackUpAsync(Files(1, 20));
        foreach (var name in _store.Inner.Names.Where(LockedObjects.Covers)) _store.Until(name).ShouldBeGreaterThan(_clock.GetUtcNow().AddDays(9), name);
        var error = await Should.ThrowAsync<ObjectLockedException>(async () => await repository.Snapshots.DeleteAsync(snapshot.Id, None));
        error.Until.ShouldBe(await repository.Snapshots.FindLockAsync(snapshot.Id, None));
        _store.InVain.ShouldBeEmpty();
        _store.Inner.Names.ShouldContain($"witness/snapshots/{snapshot.Id}", "a refused removal leaves the witness too");
        await repository.Snapshots.PinAsync(snapshot.Id, "why", None);
        (await repository.Snapshots.UnpinAsync(snapshot.Id, None)).ShouldBeTrue();
    }

    [Fact]
    public async Task Locked_garbage_is_not_tried_in_vain_and_the_report_says_when_it_is_freed()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var kept = await repository.BackUpAsync(Files(2, 5));
        await using (var session = repository.BeginSession(SessionTestExtensions.Options)) // broken off after its packs
        {
            await session.AddFilesAsync(repository, Files(1, 20));
            await session.FlushAsync(None);
        }

        _clock.Advance(TimeSpan.FromDays(2));
        var first = await CollectAsync();
        first.MarkedPacks.ShouldBe(0);
        var share = first.Locked.ShouldHaveSingleItem();
        share.Bytes.ShouldBeGreaterThan(15_000_000);
        share.Until.ShouldBeInRange(_clock.GetUtcNow().AddDays(8), _clock.GetUtcNow().AddDays(9));
        (await CollectAsync(dryRun: true)).Locked.ShouldBe(first.Locked);

        _clock.Advance(share.Until - _clock.GetUtcNow() - TimeSpan.FromHours(20)); // less than the grace time is left
        var marked = await CollectAsync();
        marked.MarkedPacks.ShouldBe(share.Objects);
        marked.Locked.ShouldBeEmpty();
        _clock.Advance(TimeSpan.FromHours(25));
        var swept = await CollectAsync();
        swept.DeletedPacks.ShouldBe(share.Objects);
        _store.InVain.ShouldBeEmpty();
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(kept)).ShouldHold(Files(2, 5));
    }

    [Fact]
    public async Task What_a_kept_recovery_point_needs_stays_locked_and_what_only_an_expired_one_needs_does_not()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var expired = await repository.BackUpAsync(Files(1, 20));
        var expiredPacks = _store.Inner.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).ToHashSet();
        var kept = await repository.BackUpAsync(Files(2, 20));
        for (var day = 0; day < 14; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            var current = await TestRepository.OpenAsync(_store, Options);
            var locked = await current.Snapshots.ExistsAsync(expired.Id, None) ? await current.Snapshots.FindLockAsync(expired.Id, None) : null;
            if (locked is null) await current.Snapshots.DeleteAsync(expired.Id, None);
            await CollectAsync(expired: locked is null ? [] : [expired.Id]);
            foreach (var name in _store.Inner.Names.Where(n => LockedObjects.Covers(n) && !expiredPacks.Contains(n) && !n.Contains(expired.Id)))
                (_store.Until(name) - _clock.GetUtcNow()).ShouldBeGreaterThan(TimeSpan.FromDays(3), $"{name} on day {day}");
        }

        _store.Inner.Names.ShouldNotContain(n => expiredPacks.Contains(n), "nothing kept the expired one's packs locked");
        _store.InVain.ShouldBeEmpty();
        var after = await TestRepository.OpenAsync(_store, Options);
        (await after.RestoreAsync(kept)).ShouldHold(Files(2, 20));
        (await new RepositoryVerifier(after).RunAsync(new VerificationOptions(VerificationLevel.Full), null, None)).Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task What_was_written_before_there_were_locks_is_locked_by_the_first_run_and_later_runs_ask_nothing()
    {
        _store.Lock = null;
        var repository = await TestRepository.CreateAsync(_store, Options);
        await repository.BackUpAsync(Files(1, 20));
        await CollectAsync();
        (_store.Looks, _store.Renewals).ShouldBe((0, 0));
        _store.Lock = TenDays;
        var plan = await CollectAsync(dryRun: true);
        _store.Renewals.ShouldBe(0);
        (await CollectAsync()).RenewedLocks.ShouldBe(plan.RenewedLocks);
        foreach (var name in _store.Inner.Names.Where(LockedObjects.Covers)) _store.Until(name).ShouldBeGreaterThan(_clock.GetUtcNow().AddDays(9), name);
        var (looks, renewals) = (_store.Looks, _store.Renewals);
        for (var day = 0; day < 5; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            (await CollectAsync()).RenewedLocks.ShouldBe(0);
        }

        (_store.Looks, _store.Renewals).ShouldBe((looks, renewals), "what is known is not asked for again");
        _clock.Advance(TimeSpan.FromDays(3));
        (await CollectAsync()).RenewedLocks.ShouldBe(renewals, "all come due together");
    }

    [Fact]
    public async Task A_mostly_unneeded_pack_is_copied_when_its_lock_is_about_to_end_not_before()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var files = Files(1, 30);
        var large = await repository.BackUpAsync(files);
        var small = await repository.BackUpAsync(files.Take(3).ToDictionary(f => f.Key, f => f.Value));
        var repacked = 0;
        for (var day = 0; day < 16; day++)
        {
            _clock.Advance(TimeSpan.FromDays(1));
            var current = await TestRepository.OpenAsync(_store, Options);
            var locked = await current.Snapshots.FindLockAsync(large.Id, None);
            if (locked is null) await current.Snapshots.DeleteAsync(large.Id, None);
            var report = await CollectAsync(expired: locked is null ? [] : [large.Id]);
            repacked += report.RepackedPacks;
        }

        repacked.ShouldBeGreaterThan(0);
        _store.InVain.ShouldBeEmpty();
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(small)).Count.ShouldBe(3);
    }

    [Fact]
    public async Task A_damaged_record_is_put_back_though_it_is_locked()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var snapshot = await repository.BackUpAsync(Files(1, 3));
        _store.Inner.Flip($"snapshots/{snapshot.Id}", 100);
        await new RepositoryRepair(await TestRepository.OpenAsync(_store, Options)).RunAsync(false, 2, None);
        _store.Hidden.ShouldContain($"snapshots/{snapshot.Id}");
        (await (await TestRepository.OpenAsync(_store, Options)).RestoreAsync(snapshot)).ShouldHold(Files(1, 3));
    }

    private RepositoryOptions Options => new() { Time = _clock };

    private async Task<CollectionReport> CollectAsync(bool dryRun = false, string[]? expired = null) =>
        await new GarbageCollector(await TestRepository.OpenAsync(_store, Options)).RunAsync(
            new CollectionOptions { Grace = TimeSpan.FromHours(24), DryRun = dryRun, Expired = (expired ?? []).ToHashSet() }, None);

    private static Dictionary<string, byte[]> Files(int seed, int count)
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).ToDictionary(i => $"file{i:d4}", _ =>
        {
            var bytes = new byte[1_000_000];
            random.NextBytes(bytes);
            return bytes;
        });
    }
}
