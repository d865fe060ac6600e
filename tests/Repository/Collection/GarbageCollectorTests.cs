using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Runs;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Collection;

public sealed class GarbageCollectorTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(24);

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public GarbageCollectorTests() => _store = new InMemoryObjectStore(_clock);

    [Fact]
    public async Task Garbage_is_marked_then_waits_then_goes()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 20));
        var kept = await repository.BackUpAsync(Files(2, 20));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        var before = _store.TotalBytes;

        (await CollectAsync()).MarkedPacks.ShouldBe(0, "packs younger than the grace time may belong to a backup that runs");
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        var marked = await CollectAsync();
        marked.MarkedPacks.ShouldBeGreaterThan(0);
        marked.DeletedPacks.ShouldBe(0);
        marked.WaitingBytes.ShouldBeGreaterThan(15_000_000);
        _clock.Advance(TimeSpan.FromHours(23));
        (await CollectAsync()).DeletedPacks.ShouldBe(0);
        _clock.Advance(TimeSpan.FromHours(2));
        (await CollectAsync(dryRun: true)).DeletedPacks.ShouldBe(marked.MarkedPacks);
        var swept = await CollectAsync();
        swept.DeletedPacks.ShouldBe(marked.MarkedPacks);
        _store.TotalBytes.ShouldBeLessThan(before - 15_000_000);

        var after = await TestRepository.OpenAsync(_store, Options);
        (await after.RestoreAsync(kept)).ShouldHold(Files(2, 20));
        var verified = await new RepositoryVerifier(after).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None);
        verified.Defects.ShouldBeEmpty();
        verified.UnreferencedPacks.ShouldBe(0);
    }

    [Fact]
    public async Task What_another_collector_was_first_to_keep_stays_also_for_one_that_would_remove_it()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 20));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        var packs = _store.Names.Where(n => n.StartsWith("packs/", StringComparison.Ordinal)).ToList();

        var racing = new RacingStore(_store, "collect/", async () =>
        {
            var other = await TestRepository.OpenAsync(_store, Options);
            var marks = new CollectionMarks(_store, other.Sealed);
            var mark = (await marks.ListAsync(CancellationToken.None).ToListAsync()).ShouldHaveSingleItem();
            (await marks.AddSweepAsync(mark.Name, new SweepRecord(mark.Mark.Packs), CancellationToken.None)).ShouldNotBeNull();
        });
        var report = await new GarbageCollector(await TestRepository.OpenAsync(racing, Options))
            .RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None);
        report.DeletedPacks.ShouldBe(0);
        packs.ShouldBeSubsetOf(_store.Names);
        report.MarkedPacks.ShouldBe(packs.Count, "nobody needs them still: they wait for a grace time of their own");
    }

    [Fact]
    public async Task Nothing_new_refers_to_a_marked_pack_and_a_pack_that_is_needed_after_all_stays()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 20));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));

        // Opened before the mark: finds the chunks, refers to them, commits within the grace time.
        var early = await TestRepository.OpenAsync(_store, Options);
        await using var session = early.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(early, Files(1, 20));
        session.NewBytes.ShouldBe(0);
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);

        // Opened after the mark: stores anew.
        var late = await TestRepository.OpenAsync(_store, Options);
        var fresh = await late.BackUpAsync(Files(1, 5));
        fresh.Statistics.NewBytes.ShouldBeGreaterThan(4_000_000);

        _clock.Advance(TimeSpan.FromHours(10));
        var saved = await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), CancellationToken.None);
        _clock.Advance(TimeSpan.FromHours(20));
        var report = await CollectAsync();
        report.UndeletedPacks.ShouldBeGreaterThan(0);
        var reader = await TestRepository.OpenAsync(_store, Options);
        (await reader.RestoreAsync(saved)).ShouldHold(Files(1, 20));
        (await reader.RestoreAsync(fresh)).ShouldHold(Files(1, 5));
        (await reader.BackUpAsync(Files(1, 20))).Statistics.NewBytes.ShouldBe(0, "an undeleted pack is as good as any other");
    }

    [Fact]
    public async Task A_backup_longer_than_the_grace_time_of_a_collection_does_not_commit()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var old = await repository.BackUpAsync(Files(1, 20));
        await repository.Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        var early = await TestRepository.OpenAsync(_store, Options);
        await using var session = early.BeginSession(SessionTestExtensions.Options);
        await session.AddFilesAsync(early, Files(1, 20));
        await CollectAsync();
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        await CollectAsync();
        var refused = await Should.ThrowAsync<RepositoryException>(
            async () => await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), CancellationToken.None));
        refused.Message.ShouldContain("grace time");
        (await early.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Mostly_unneeded_packs_are_rewritten()
    {
        var repository = await TestRepository.CreateAsync(_store, Options);
        var all = await repository.BackUpAsync(Files(1, 30));
        var few = await repository.BackUpAsync(Files(1, 3));
        await repository.Snapshots.DeleteAsync(all.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        (await CollectAsync()).RepackedPacks.ShouldBeGreaterThan(0);
        for (var i = 0; i < 3; i++)
        {
            _clock.Advance(Grace + TimeSpan.FromHours(1));
            await CollectAsync();
        }

        _store.TotalBytes.ShouldBeLessThan(8_000_000);
        var reader = await TestRepository.OpenAsync(_store, Options);
        (await reader.RestoreAsync(few)).ShouldHold(Files(1, 3));
        (await new RepositoryVerifier(reader).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None)).Defects.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public async Task Whatever_the_order_of_backups_removals_and_collections_every_recovery_point_restores(int seed)
    {
        var random = new Random(seed);
        await TestRepository.CreateAsync(_store, Options);
        var live = new Dictionary<string, (Snapshot Snapshot, Dictionary<string, byte[]> Files)>();
        var running = new List<(BackupRepository Repository, BackupSession Session, Dictionary<string, byte[]> Files)>();
        for (var step = 0; step < 40; step++)
        {
            _clock.Advance(TimeSpan.FromHours(random.Next(1, 9)));
            switch (random.Next(6))
            {
                case 0 or 1:
                    var repository = await TestRepository.OpenAsync(_store, Options);
                    var files = Files(random.Next(4), random.Next(1, 8));
                    var session = repository.BeginSession(SessionTestExtensions.Options);
                    await session.AddFilesAsync(repository, files);
                    running.Add((repository, session, files));
                    break;
                case 2 or 3 when running.Count > 0:
                    var (owner, open, content) = running[random.Next(running.Count)];
                    running.RemoveAll(r => r.Session == open);
                    try
                    {
                        var snapshot = await open.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()), CancellationToken.None);
                        live.Add(snapshot.Id, (snapshot, content));
                    }
                    catch (RepositoryException e)
                    {
                        e.Message.ShouldContain("grace time");
                    }

                    await open.DisposeAsync();
                    break;
                case 4 when live.Count > 0:
                    var id = live.Keys.ElementAt(random.Next(live.Count));
                    live.Remove(id);
                    await (await TestRepository.OpenAsync(_store, Options)).Snapshots.DeleteAsync(id, CancellationToken.None);
                    break;
                case 5:
                    await CollectAsync();
                    break;
            }

            var reader = await TestRepository.OpenAsync(_store, Options);
            foreach (var (snapshot, content) in live.Values) (await reader.RestoreAsync(snapshot)).ShouldHold(content);
        }

        foreach (var (_, session, _) in running) await session.DisposeAsync();
    }

    private RepositoryOptions Options => new() { Time = _clock };

    private async Task<CollectionReport> CollectAsync(bool dryRun = false) =>
        await new GarbageCollector(await TestRepository.OpenAsync(_store, Options))
            .RunAsync(new CollectionOptions { Grace = Grace, DryRun = dryRun }, CancellationToken.None);

    private static Dictionary<string, byte[]> Files(int group, int count) =>
        Enumerable.Range(0, count).ToDictionary(i => $"g{group}/f{i:D2}", i => RoundTripTests.Bytes(1_000_000, (group * 1000) + i));
}

/// <summary>A clock that moves only when told.</summary>
internal sealed class ManualClock : TimeProvider
{
    private DateTimeOffset _now = new(2026, 3, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override DateTimeOffset GetUtcNow() => _now;

    public override long GetTimestamp() => _now.Ticks;

    public void Advance(TimeSpan by) => _now += by;
}
