using System.Text;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Collection;
using FunctionsBackup.Repository.Runs;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Tests.Conformance;
using FunctionsBackup.Tests.Repository.Collection;
using FunctionsBackup.Tests.Repository.Sessions;

namespace FunctionsBackup.Tests.Repository.Runs;

/// <summary>Backups of several parts: interrupted anywhere, done again, and with garbage collections in between.</summary>
public sealed partial class RunTests
{
    private static readonly TimeSpan Grace = TimeSpan.FromHours(24);
    private const string Run = "20261125T221530Z-5ca60a03";

    private readonly ManualClock _clock = new();
    private readonly InMemoryObjectStore _store;

    public RunTests() => _store = new InMemoryObjectStore(_clock);

    private RepositoryOptions Options => new() { Time = _clock };

    [Fact]
    public async Task Parts_of_several_processes_become_one_snapshot_and_one_recovery_point()
    {
        await CreateAsync();
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1));
        await StoreAsync("test.0002", Files("b", 2));
        var (snapshot, point) = await CommitAsync();

        var repository = await OpenAsync();
        (await repository.RestoreAsync(snapshot)).ShouldHold(Joined());
        (await repository.GetSnapshotAsync("latest", "test", CancellationToken.None)).Point.ShouldBe(Run);
        point.Outcome.ShouldBe("complete");
        (await repository.Points.FindAsync(Run, CancellationToken.None))!.Components.Single().SnapshotId.ShouldBe(snapshot.Id);
        _store.Names.ShouldNotContain(n => n.StartsWith("parts/", StringComparison.Ordinal));
        snapshot.Statistics.Files.ShouldBe(Joined().Count);
    }

    [Fact]
    public async Task Before_the_commit_nothing_is_visible()
    {
        await CreateAsync();
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1));
        var repository = await OpenAsync();
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
        (await new BackupRuns(repository).FindPartAsync(Run, "test.0001", CancellationToken.None)).ShouldNotBeNull();
        (await new BackupRuns(repository).FindPartAsync(Run, "test.0002", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task A_run_that_begins_again_is_the_same_run()
    {
        await CreateAsync();
        var first = await BeginAsync("one");
        _clock.Advance(TimeSpan.FromHours(1));
        var again = await BeginAsync("another");
        Encoding.UTF8.GetString(again.Plan).ShouldBe("one");
        again.Token.StartedAt.ShouldBe(first.Token.StartedAt);
        again.Token.BeganAt.ShouldBe(first.Token.BeganAt);
    }

    [Fact]
    public async Task A_commit_that_was_interrupted_between_any_two_steps_is_done_again()
    {
        // Each write and each removal of the commit, one after the other, is the last thing that happens before the interruption.
        for (var steps = 0; steps < 100; steps++)
        {
            var store = new InMemoryObjectStore(_clock);
            await TestRepository.CreateAsync(store, Options);
            await BeginAsync(store: store);
            await StoreAsync("test.0001", Files("a", 1), store);
            await StoreAsync("test.0002", Files("b", 2), store);
            var limited = new LimitedStore(store, steps);
            var interrupted = false;
            try
            {
                await CommitAsync(limited);
            }
            catch (OperationCanceledException)
            {
                interrupted = true;
            }

            var repository = await TestRepository.OpenAsync(store, Options);
            // What is visible is whole, whenever it was interrupted.
            await foreach (var visible in repository.ListSnapshotsAsync(null, CancellationToken.None))
                (await repository.RestoreAsync(visible)).ShouldHold(Joined());
            if (await RunCommit.OpenAsync(repository, Run, CancellationToken.None) is not null) await CommitAsync(store);
            repository = await TestRepository.OpenAsync(store, Options);
            var snapshots = await repository.ListSnapshotsAsync(null, CancellationToken.None).ToListAsync();
            (await repository.RestoreAsync(snapshots.ShouldHaveSingleItem())).ShouldHold(Joined());
            (await repository.Points.FindAsync(Run, CancellationToken.None))!.Components.Single().SnapshotId.ShouldBe(snapshots[0].Id);
            if (!interrupted) return;
        }

        Assert.Fail("The commit never came to its end.");
    }

    [Fact]
    public async Task A_unit_that_is_missing_keeps_its_component_from_being_committed()
    {
        await CreateAsync();
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1));
        var error = await Should.ThrowAsync<RepositoryException>(() => CommitAsync());
        error.Message.ShouldContain("test.0002");
        (await (await OpenAsync()).ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task After_the_end_of_a_run_nobody_joins_it()
    {
        await CreateAsync();
        await BeginAsync();
        var repository = await OpenAsync();
        await new BackupRuns(repository).RemoveAsync(Run, CancellationToken.None);
        await Should.ThrowAsync<RepositoryException>(async () => await new BackupRuns(repository).JoinAsync(Run, "test.0001", CancellationToken.None));
        await Should.ThrowAsync<RepositoryException>(async () => await RunCommit.OpenAsync(repository, Run, CancellationToken.None));
    }

    [Fact]
    public async Task A_collection_that_began_during_the_run_and_used_up_its_grace_time_keeps_it_from_committing()
    {
        await CreateAsync();
        var old = await (await OpenAsync()).BackUpAsync(Files("a", 1));
        _clock.Advance(Grace * 2);
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1)); // relies on what the old snapshot keeps
        await (await OpenAsync()).Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        await StoreAsync("test.0002", Files("b", 2));
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        await CollectAsync();
        await Should.ThrowAsync<RepositoryException>(() => CommitAsync());
        (await (await OpenAsync()).ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task A_commit_within_the_grace_time_saves_what_a_unit_relied_on()
    {
        await CreateAsync();
        var old = await (await OpenAsync()).BackUpAsync(Files("a", 1));
        _clock.Advance(Grace * 2);
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1));
        await (await OpenAsync()).Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        _clock.Advance(TimeSpan.FromHours(20));
        await StoreAsync("test.0002", Files("b", 2));
        var (snapshot, _) = await CommitAsync();
        _clock.Advance(TimeSpan.FromDays(3));
        await CollectAsync();
        await CollectAsync();
        (await (await OpenAsync()).RestoreAsync(snapshot)).ShouldHold(Joined());
    }

    /// <summary>
    /// The process opened the repository before the run began, and a collection marked packs in between: what the marks of the token condemn
    /// the commit does not look at, so the unit must not rely on it.
    /// </summary>
    [Fact]
    public async Task A_unit_relies_on_nothing_that_was_condemned_after_its_process_opened_the_repository()
    {
        await CreateAsync();
        var old = await (await OpenAsync()).BackUpAsync(Files("a", 1));
        var early = await OpenAsync();
        await (await OpenAsync()).Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace * 2);
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1), repository: early);
        await StoreAsync("test.0002", Files("b", 2), repository: early);
        _clock.Advance(Grace + TimeSpan.FromHours(1)); // the mark of the token is carried out, new ones are young
        var (snapshot, _) = await CommitAsync();
        await CollectAsync();
        (await (await OpenAsync()).RestoreAsync(snapshot)).ShouldHold(Joined());
    }

    [Fact]
    public async Task What_was_taken_over_from_a_parent_that_is_gone_is_not_committed()
    {
        await CreateAsync();
        var old = await (await OpenAsync()).BackUpAsync(Files("a", 1));
        await (await OpenAsync()).Snapshots.DeleteAsync(old.Id, CancellationToken.None);
        _clock.Advance(Grace + TimeSpan.FromHours(1));
        var early = await OpenAsync();
        (await CollectAsync()).MarkedPacks.ShouldBeGreaterThan(0);
        var parent = await early.BackUpAsync(Files("a", 1)); // refers to the marked packs
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1), parent: parent);
        await StoreAsync("test.0002", Files("b", 2));
        await (await OpenAsync()).Snapshots.DeleteAsync(parent.Id, CancellationToken.None);
        await Should.ThrowAsync<RepositoryException>(() => CommitAsync());
    }

    [Fact]
    public async Task Parts_of_a_run_that_was_given_up_are_removed_in_time_and_those_of_a_live_one_are_not()
    {
        await CreateAsync();
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1));
        _clock.Advance(TimeSpan.FromDays(6));
        await CollectAsync();
        _store.Names.Count(n => n.StartsWith("parts/", StringComparison.Ordinal)).ShouldBe(2);
        _clock.Advance(TimeSpan.FromDays(2));
        await CollectAsync();
        _store.Names.ShouldNotContain(n => n.StartsWith("parts/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_runs_at_once_both_commit_and_share_what_the_first_to_store_it_stored()
    {
        await CreateAsync();
        const string other = "20261125T221531Z-00000001";
        await BeginAsync();
        await BeginAsync(run: other);
        await StoreAsync("test.0001", Files("a", 1));
        await StoreAsync("test.0001", Files("a", 1), run: other);
        await StoreAsync("test.0002", Files("b", 2), run: other);
        await StoreAsync("test.0002", Files("b", 2));
        var (one, _) = await CommitAsync();
        var (two, _) = await CommitAsync(run: other);
        one.Id.ShouldNotBe(two.Id);
        (one.Statistics.NewBytes + two.Statistics.NewBytes).ShouldBeLessThan(Joined().Values.Sum(b => b.Length) * 5L / 4);
        var repository = await OpenAsync();
        (await repository.RestoreAsync(one)).ShouldHold(Joined());
        (await repository.RestoreAsync(two)).ShouldHold(Joined());
    }

    [Fact]
    public async Task A_record_that_joins_snapshots_goes_with_the_last_of_them()
    {
        await CreateAsync();
        await BeginAsync();
        await StoreAsync("test.0001", Files("a", 1));
        await StoreAsync("test.0002", Files("b", 2));
        var (snapshot, _) = await CommitAsync();
        var repository = await OpenAsync();
        (await repository.Points.PruneAsync(repository.Snapshots, new HashSet<string>(), false, CancellationToken.None)).ShouldBe(0);
        (await repository.Points.PruneAsync(repository.Snapshots, new HashSet<string> { snapshot.Id }, true, CancellationToken.None)).ShouldBe(1);
        await repository.Snapshots.DeleteAsync(snapshot.Id, CancellationToken.None);
        (await repository.Points.PruneAsync(repository.Snapshots, new HashSet<string>(), false, CancellationToken.None)).ShouldBe(1);
        (await repository.Points.ListIdsAsync(CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    private static Dictionary<string, byte[]> Files(string name, int seed) =>
        Enumerable.Range(0, 8).ToDictionary(i => $"{name}{i}", i => RoundTripTests.Bytes(700_000, seed * 100 + i));

    private static Dictionary<string, byte[]> Joined() => Files("a", 1).Concat(Files("b", 2)).ToDictionary();

    private async Task CreateAsync() => await TestRepository.CreateAsync(_store, Options);

    private Task<BackupRepository> OpenAsync() => TestRepository.OpenAsync(_store, Options);

    private async Task<RunPlan> BeginAsync(string plan = "plan", InMemoryObjectStore? store = null, string run = Run)
    {
        var repository = await TestRepository.OpenAsync(store ?? _store, Options);
        return await new BackupRuns(repository).BeginAsync(
            run, _clock.GetUtcNow(), _ => ValueTask.FromResult(Encoding.UTF8.GetBytes(plan)), CancellationToken.None);
    }

    /// <summary>Each in a process of its own, as it were.</summary>
    private async Task StoreAsync(
        string unit, Dictionary<string, byte[]> files, InMemoryObjectStore? store = null, BackupRepository? repository = null,
        Snapshot? parent = null, string run = Run)
    {
        repository ??= await TestRepository.OpenAsync(store ?? _store, Options);
        var joined = await new BackupRuns(repository).JoinAsync(run, unit, CancellationToken.None);
        await using var session = repository.BeginSession(SessionTestExtensions.Options with { Unit = joined });
        await session.AddFilesAsync(repository, files, parent);
        await session.CommitAsync(SessionTestExtensions.Draft(_clock.GetUtcNow()) with { Parent = parent?.Id }, CancellationToken.None);
    }

    private async Task<(Snapshot Snapshot, RecoveryPoint Point)> CommitAsync(FunctionsBackup.Storage.IObjectStore? store = null, string run = Run)
    {
        var repository = await TestRepository.OpenAsync(store ?? _store, Options);
        var commit = (await RunCommit.OpenAsync(repository, run, CancellationToken.None)).ShouldNotBeNull();
        var snapshot = await commit.CommitAsync("test", ["test.0001", "test.0002"], _ => null, CancellationToken.None);
        var point = await commit.CompleteAsync([new PointComponent { Component = "test", SnapshotId = snapshot.Id }], CancellationToken.None);
        return (snapshot, point.ShouldNotBeNull());
    }

    private async Task<CollectionReport> CollectAsync() =>
        await new GarbageCollector(await OpenAsync()).RunAsync(new CollectionOptions { Grace = Grace }, CancellationToken.None);
}
