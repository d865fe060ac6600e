using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Repository.Verification;
using FunctionsBackup.Tests.Servers;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>Whole workflows on the embedded engine, with real trees, a real repository and a real database.</summary>
public sealed class EngineTests
{
    [Fact]
    public async Task Three_components_end_in_one_recovery_point_that_restores()
    {
        await using var server = await PostgresServer.StartAsync();
        await using (var command = server.Source.CreateCommand("create table calls as select g as id, md5(g::text) as note from generate_series(1, 5000) g"))
            await command.ExecuteNonQueryAsync();
        await using var test = await TestSite.CreateAsync(server.ConnectionString);
        await using var engine = await TestEngine.StartAsync(test);
        var start = await new BackupStarter(engine.Site).StartAsync(engine.Client, new BackupRequest { Verify = "full" }, CancellationToken.None);
        start.InstanceId.ShouldStartWith("backup-all-");
        var result = await engine.ResultOfAsync<BackupResult>(start.InstanceId);

        result.Outcome.ShouldBe(RunOutcome.Complete, string.Join("; ", result.Components.Select(c => c.Failure?.Sentence)));
        result.Components.Select(c => c.Component).ShouldBe(["postgres", "voice_data", "logs"]);
        result.Components.Single(c => c.Component == "logs").Units.ShouldBeGreaterThan(3);
        result.Verification!.ExitCode.ShouldBe(0);
        await using var repository = await test.OpenRepositoryAsync();
        var point = (await repository.Points.FindAsync(result.RecoveryPointId!, CancellationToken.None)).ShouldNotBeNull();
        point.Outcome.ShouldBe("complete");
        point.Components.Single(c => c.Component == "postgres").Facts["stopLsn"].ShouldMatch("^[0-9A-F]+/[0-9A-F]+$");
        (await repository.Store.ListAsync("parts/", CancellationToken.None).CountAsync()).ShouldBe(0);

        var restored = await engine.RunAsync<RestoreResult>(
            nameof(RestoreOrchestrator), new RestoreRequest { Component = "logs", Target = Path.Join(test.Folder, "restored") }, "restore-logs-1");
        restored.ExitCode.ShouldBeOneOf(0, 3);
        TestSite.Content(Path.Join(test.Folder, "restored/logs")).ShouldBe(TestSite.Content(Path.Join(test.Folder, "logs")));

        var proven = await engine.RunAsync<RestoreTestResult>(
            nameof(RestoreTestingOrchestrator), new RestoreTestRequest { Components = ["postgres", "voice_data"] }, "restoretest-1");
        proven.ExitCode.ShouldBe(0, string.Join("; ", proven.Tests.SelectMany(t => t.Findings).Append(proven.Failure?.Sentence)));
        proven.Tests.Count.ShouldBe(2);

        var again = await new BackupStarter(engine.Site).StartAsync(engine.Client, new BackupRequest(), CancellationToken.None);
        var second = await engine.ResultOfAsync<BackupResult>(again.InstanceId);
        second.Outcome.ShouldBe(RunOutcome.Complete);
        second.Components.Where(c => c.Component != "postgres").Sum(c => c.NewBytes).ShouldBe(0);
    }

    [Fact]
    public async Task A_component_that_cannot_be_reached_makes_the_recovery_point_partial()
    {
        await using var test = await TestSite.CreateAsync("Host=127.0.0.1;Port=1;Username=postgres;Timeout=2");
        await using var engine = await TestEngine.StartAsync(test);
        Directory.Delete(Path.Join(test.Folder, "logs"), recursive: true);
        var result = await engine.RunAsync<BackupResult>(
            nameof(BackupOrchestrator), new BackupRequest { Components = ["voice_data", "logs"] }, "backup-1");
        result.Outcome.ShouldBe(RunOutcome.Partial);
        result.ExitCode.ShouldNotBe(0);
        result.Components.Single(c => c.Component == "logs").Failure!.Sentence.ShouldContain("logs");
        await using var repository = await test.OpenRepositoryAsync();
        (await repository.Points.FindAsync(result.RecoveryPointId!, CancellationToken.None))!.Outcome.ShouldBe("partial");
    }

    [Fact]
    public async Task Of_many_starts_at_once_one_works_and_the_others_name_it()
    {
        await using var test = await TestSite.CreateAsync();
        await using var engine = await TestEngine.StartAsync(test);
        var ids = Enumerable.Range(0, 8).Select(i => $"backup-all-20261125T221530Z-000{i}").ToList();
        await Task.WhenAll(ids.Select(id => engine.Client.ScheduleNewOrchestrationInstanceAsync(
            nameof(BackupOrchestrator), new BackupRequest { Components = ["voice_data", "logs"] }, new Microsoft.DurableTask.StartOrchestrationOptions(id))));
        var results = await Task.WhenAll(ids.Select(engine.ResultOfAsync<BackupResult>));
        // One may begin when another has ended already; but none works beside another.
        results.Count(r => r.Outcome == RunOutcome.Complete).ShouldBeGreaterThanOrEqualTo(1);
        var complete = ids.Where((_, i) => results[i].Outcome == RunOutcome.Complete).ToList();
        foreach (var result in results.Where(r => r.Outcome != RunOutcome.Complete))
        {
            result.Outcome.ShouldBe(RunOutcome.Superseded);
            result.SupersededBy.ShouldNotBeNull();
        }

        complete.Count.ShouldBeLessThan(8);
    }

    [Fact]
    public async Task A_scheduled_start_happens_once_however_often_it_is_asked_for()
    {
        await using var test = await TestSite.CreateAsync();
        await using var engine = await TestEngine.StartAsync(test);
        var starter = new BackupStarter(engine.Site);
        var due = new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.Zero);
        var starts = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => starter.StartDueAsync(engine.Client, "logs", "full_backup", due, CancellationToken.None)));
        starts.ShouldAllBe(s => s.InstanceId == "backup-logs-full-20261122T0200Z");
        (await engine.ResultOfAsync<BackupResult>("backup-logs-full-20261122T0200Z")).Outcome.ShouldBe(RunOutcome.Complete);
        (await starter.StartDueAsync(engine.Client, "logs", "full_backup", due, CancellationToken.None)).Started.ShouldBeFalse();
        await using var repository = await test.OpenRepositoryAsync();
        (await repository.ListSnapshotsAsync("logs", CancellationToken.None).CountAsync()).ShouldBe(1);
    }

    [Fact]
    public async Task A_cancelled_backup_ends_and_leaves_nothing()
    {
        await using var test = await TestSite.CreateAsync();
        await using var engine = await TestEngine.StartAsync(test);
        await engine.Client.ScheduleNewOrchestrationInstanceAsync(
            nameof(BackupOrchestrator), new BackupRequest { Components = ["voice_data", "logs"] }, new Microsoft.DurableTask.StartOrchestrationOptions("backup-1"));
        await engine.Client.RaiseEventAsync("backup-1", InstanceEvents.Cancel, "enough");
        var result = await engine.ResultOfAsync<BackupResult>("backup-1");
        result.Outcome.ShouldBeOneOf(RunOutcome.Cancelled, RunOutcome.Complete);
        await using var repository = await test.OpenRepositoryAsync();
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(result.Outcome == RunOutcome.Complete ? 2 : 0);
        (await repository.Store.ListAsync("parts/", CancellationToken.None).CountAsync()).ShouldBe(0);
    }

    [Fact]
    public async Task Two_engines_on_one_repository_both_commit_and_share()
    {
        await using var test = await TestSite.CreateAsync();
        await using var one = await TestEngine.StartAsync(test, "one.db");
        await using var two = await TestEngine.StartAsync(test, "two.db");
        var request = new BackupRequest { Components = ["voice_data", "logs"], Full = true, Verify = "full" };
        var results = await Task.WhenAll(
            one.RunAsync<BackupResult>(nameof(BackupOrchestrator), request, "backup-all-20261122T0200Z"),
            two.RunAsync<BackupResult>(nameof(BackupOrchestrator), request, "backup-all-20261122T0200Z"));
        results.ShouldAllBe(r => r.Outcome == RunOutcome.Complete && r.Verification!.ExitCode == 0);
        results[0].RecoveryPointId.ShouldNotBe(results[1].RecoveryPointId);
        await using var repository = await test.OpenRepositoryAsync();
        (await repository.ListSnapshotsAsync(null, CancellationToken.None).CountAsync()).ShouldBe(4);
        var third = await one.RunAsync<BackupResult>(nameof(BackupOrchestrator), request, "backup-later");
        third.Components.Sum(c => c.NewBytes).ShouldBe(0);
        (await new RepositoryVerifier(repository).RunAsync(new VerificationOptions(VerificationLevel.Full), null, CancellationToken.None)).Defects.ShouldBeEmpty();
    }

    [Fact]
    public async Task Retention_removes_the_records_of_recovery_points_with_their_last_snapshots()
    {
        await using var test = await TestSite.CreateAsync();
        await using var engine = await TestEngine.StartAsync(test);
        await engine.RunAsync<BackupResult>(nameof(BackupOrchestrator), new BackupRequest { Components = ["logs"] }, "backup-1");
        await using (var repository = await test.OpenRepositoryAsync())
            await foreach (var id in repository.Snapshots.ListIdsAsync(null, CancellationToken.None))
                await repository.Snapshots.DeleteAsync(id, CancellationToken.None);
        var result = await engine.RunAsync<RetentionResult>(nameof(RetentionOrchestrator), new RetentionRequest(), "retention-1");
        result.Outcome.ShouldBe(RunOutcome.Complete, result.Failure?.Sentence);
        result.RemovedPoints.ShouldBe(1);
    }

    [Fact]
    public async Task An_encrypted_repository_is_unlocked_with_the_passphrase_of_the_configuration()
    {
        await using var test = await TestSite.CreateAsync(passphrase: "correct horse");
        await using var engine = await TestEngine.StartAsync(test);
        var result = await engine.RunAsync<BackupResult>(nameof(BackupOrchestrator), new BackupRequest { Components = ["logs"] }, "backup-1");
        result.Outcome.ShouldBe(RunOutcome.Complete);
    }
}
