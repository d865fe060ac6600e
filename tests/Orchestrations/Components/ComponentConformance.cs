using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Tests.Orchestrations.Engine;
using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Orchestrations.Components;

/// <summary>What every component must do, through the workflows that people use. A new one implements a world and passes.</summary>
/// <typeparam name="TWorld">Its source.</typeparam>
public abstract class ComponentConformance<TWorld> : IAsyncLifetime
    where TWorld : ComponentWorld, new()
{
    private readonly TWorld _world = new();
    private TestSite _site = null!;
    private TestEngine _engine = null!;
    private int _instances;

    public async Task InitializeAsync()
    {
        _site = await TestSite.CreateAsync(_world.StartAsync, () => _world.Settings, _world.Environment);
        _engine = await TestEngine.StartAsync(_site, before: _world.BeforeAsync);
    }

    public async Task DisposeAsync()
    {
        _world.GoOn();
        await _engine.DisposeAsync();
        await _world.DisposeAsync();
        await _site.DisposeAsync();
    }

    [Fact]
    public async Task It_is_backed_up_listed_verified_and_comes_back_to_an_empty_target()
    {
        var before = await _world.DigestAsync();
        before.ShouldNotBeEmpty();
        var point = await BackUpAsync();
        await using (var repository = await _site.OpenRepositoryAsync())
        {
            var listed = await repository.ListSnapshotsAsync(_world.Component, CancellationToken.None).ToListAsync();
            listed.Select(s => s.Id).ShouldBe([point.Components.Single().SnapshotId]);
            listed[0].Statistics.Entries.ShouldBeGreaterThan(0);
        }

        await VerifyAsync();
        await _world.LoseAsync();
        var request = _world.Restore();
        await RestoreAsync(request);
        (await _world.RestoredAsync(request)).ShouldBe(before);
    }

    [Fact]
    public async Task A_second_backup_has_what_changed_and_a_plan_changes_nothing()
    {
        await BackUpAsync();
        await _world.ChangeAsync();
        var changed = await _world.DigestAsync();
        await BackUpAsync();
        await VerifyAsync();
        await _world.LoseAsync();
        var request = _world.Restore();
        var plan = await RunAsync(request with { PlanOnly = true });
        plan.ExitCode.ShouldBeOneOf(0, 3);
        plan.Plan.ShouldNotBeNull();
        await RestoreAsync(request); // to a place where nothing is: the plan left it so
        (await _world.RestoredAsync(request)).ShouldBe(changed);
    }

    [Fact]
    public async Task What_is_in_a_target_is_replaced_only_when_asked_for()
    {
        var before = await _world.DigestAsync();
        await BackUpAsync();
        await _world.ChangeAsync();
        await BackUpAsync();
        var request = _world.Restore();
        await _world.LoseAsync();
        await RestoreAsync(request);
        var there = await _world.RestoredAsync(request);
        there.ShouldNotBe(before);

        string first;
        await using (var repository = await _site.OpenRepositoryAsync())
            first = (await repository.ListSnapshotsAsync(_world.Component, CancellationToken.None).ToListAsync()).MinBy(s => s.StartedAt)!.Id;
        var refused = await RunAsync(request with { Point = first });
        if (_world.RefusesWhatIsThere) refused.ExitCode.ShouldBeOneOf(1, 2);
        (await _world.RestoredAsync(request)).ShouldBe(there);
        await RestoreAsync(_world.Replacing(request) with { Point = first });
        (await _world.RestoredAsync(request)).ShouldBe(before);
    }

    [Fact]
    public async Task Bad_targets_are_refused()
    {
        await BackUpAsync();
        foreach (var (request, words) in _world.Refused())
        {
            var result = await RunAsync(request);
            result.Failure.ShouldNotBeNull(request.ToString());
            result.Failure.Sentence.ShouldContain(words, Case.Insensitive, request.ToString());
            result.ExitCode.ShouldBeOneOf(1, 2, 4);
        }

        var unknown = await RunAsync(_world.Restore() with { Point = $"20000101T000000Z-{_world.Component}-00000000" });
        unknown.ExitCode.ShouldBe(4);
    }

    [Fact]
    public async Task A_backup_that_is_cancelled_half_way_leaves_nothing_and_the_next_succeeds()
    {
        _world.StopHalfWay();
        var id = await StartAsync();
        await _world.Stopped;
        await _engine.Client.RaiseEventAsync(id, InstanceEvents.Cancel, "enough");
        var running = _engine.ResultOfAsync<BackupResult>(id);
        // Who stands still in a read that may be broken off ends by itself; who does not, when it goes on.
        await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(3)));
        _world.GoOn();
        var cancelled = await running;
        cancelled.Outcome.ShouldBe(RunOutcome.Cancelled);
        cancelled.ExitCode.ShouldBe(130);
        await NothingIsVisibleAsync();
        await ItStillComesBackAsync();
    }

    [Fact]
    public async Task A_source_that_dies_half_way_is_read_again_or_done_without()
    {
        _world.StopHalfWay();
        var id = await StartAsync();
        await _world.Stopped;
        await NothingIsVisibleAsync();
        await _world.DieAsync();
        _world.GoOn();
        await _world.ReviveAsync();
        var result = await _engine.ResultOfAsync<BackupResult>(id);
        result.Outcome.ShouldBe(RunOutcome.Complete, result.Components.Single().Failure?.Sentence);
        await ItStillComesBackAsync();
    }

    private async Task ItStillComesBackAsync()
    {
        var before = await _world.DigestAsync();
        await BackUpAsync();
        await VerifyAsync();
        await _world.LoseAsync();
        var request = _world.Restore();
        await RestoreAsync(request);
        (await _world.RestoredAsync(request)).ShouldBe(before);
    }

    private async Task NothingIsVisibleAsync()
    {
        await using var repository = await _site.OpenRepositoryAsync();
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    private async Task<string> StartAsync()
    {
        var id = $"backup-{_world.Component}-{++_instances}";
        await _engine.Client.ScheduleNewOrchestrationInstanceAsync(
            nameof(BackupOrchestrator), new BackupRequest { Components = [_world.Component] }, new StartOrchestrationOptions(id));
        return id;
    }

    private async Task<BackupResult> BackUpAsync()
    {
        var result = await _engine.ResultOfAsync<BackupResult>(await StartAsync());
        result.Outcome.ShouldBe(RunOutcome.Complete, result.Components.Single().Failure?.Sentence);
        result.ExitCode.ShouldBeOneOf(0, 3);
        result.Components.Single().SnapshotId.ShouldNotBeNull();
        return result;
    }

    private async Task VerifyAsync()
    {
        var result = await _engine.RunAsync<VerificationResult>(
            nameof(VerificationOrchestrator), new VerificationRequest { Level = "full" }, $"verify-{++_instances}");
        result.ExitCode.ShouldBeOneOf(0, 3); // 3: between two backups of a database nobody archived the WAL
    }

    private async Task<RestoreResult> RestoreAsync(RestoreRequest request)
    {
        var result = await RunAsync(request);
        result.Outcome.ShouldBe(RunOutcome.Complete, $"{result.Failure?.Sentence} {string.Join("; ", result.Warnings)}");
        return result;
    }

    private Task<RestoreResult> RunAsync(RestoreRequest request) =>
        _engine.RunAsync<RestoreResult>(nameof(RestoreOrchestrator), request, $"restore-{_world.Component}-{++_instances}");
}
