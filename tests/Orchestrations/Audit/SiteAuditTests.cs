using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Repository.Audit;
using FunctionsBackup.Tests.Orchestrations.Engine;

namespace FunctionsBackup.Tests.Orchestrations.Audit;

/// <summary>The log of a site: what goes into it, and that its trouble is nobody else's.</summary>
public sealed class SiteAuditTests
{
    private static readonly AuditEntry Something = new() { Action = "test.run", Outcome = AuditOutcome.Done, Target = "something" };

    [Fact]
    public async Task Each_orchestration_leaves_what_it_did_and_for_whom()
    {
        await using var test = await TestSite.CreateAsync();
        string? point;
        await using (var engine = await TestEngine.StartAsync(test))
        {
            var backup = await engine.RunAsync<BackupResult>(
                nameof(BackupOrchestrator), new BackupRequest { Components = ["voice_data", "logs"], RequestedBy = "schedule" }, "backup-1");
            backup.Outcome.ShouldBe(RunOutcome.Complete);
            point = backup.RecoveryPointId;
            await engine.RunAsync<VerificationResult>(nameof(VerificationOrchestrator), new VerificationRequest { Level = "quick", RequestedBy = "cli" }, "verify-1");
            await engine.RunAsync<RestoreResult>(
                nameof(RestoreOrchestrator), new RestoreRequest { Component = "logs", Target = Path.Join(test.Folder, "restored"), RequestedBy = "anna" }, "restore-1");
            await engine.RunAsync<RestoreTestResult>(nameof(RestoreTestingOrchestrator), new RestoreTestRequest { Components = ["logs"] }, "restoretest-1");
            await engine.RunAsync<RetentionResult>(nameof(RetentionOrchestrator), new RetentionRequest { DryRun = true, RequestedBy = "cli" }, "retention-1");
            (await engine.Site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
        }

        var entries = await EntriesAsync(test);
        var made = entries.Single(e => e.Action == AuditActions.BackupRun);
        (made.Instance, made.Target, made.Actor!.Kind, made.Outcome).ShouldBe(("backup-1", point, AuditActorKind.Schedule, AuditOutcome.Done));
        made.Items.Select(i => (i.Name, i.Outcome)).ShouldBe([("voice_data", "complete"), ("logs", "complete")]);
        made.Items.ShouldAllBe(i => i.Detail!.Contains(i.Name));
        entries.Single(e => e.Instance == "verify-1").Action.ShouldBe(AuditActions.Verify);
        var restored = entries.Single(e => e.Instance == "restore-1");
        (restored.Actor!.Name, restored.Facts["target"]).ShouldBe(("anna", Path.Join(test.Folder, "restored")));
        restored.Target.ShouldBe(made.Items[1].Detail);
        entries.Single(e => e.Action == AuditActions.RestoreTest).Facts["passed"].ShouldBe("true");
        entries.Single(e => e.Action == AuditActions.BackupPrune).Facts["dry_run"].ShouldBe("true");
        entries.Single(e => e.Action == AuditActions.ConfigurationChanged).Facts.ContainsKey("hash_before").ShouldBeFalse();
    }

    [Fact]
    public async Task A_recovery_point_vouches_for_the_log_before_it()
    {
        await using var test = await TestSite.CreateAsync();
        await using (var engine = await TestEngine.StartAsync(test))
        {
            await engine.Site.Audit.RecordAsync(Something);
            (await engine.Site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
            await engine.RunAsync<BackupResult>(nameof(BackupOrchestrator), new BackupRequest { Components = ["logs"], Verify = "none" }, "backup-1");
        }

        await using var repository = await test.OpenRepositoryAsync();
        var point = await repository.Points.ListAsync(CancellationToken.None).SingleAsync();
        var head = point.Audit.ShouldNotBeNull().ShouldHaveSingleItem();
        (await repository.Audit.ReadHeaderAsync(head.Writer, head.Sequence, CancellationToken.None))!.Head.ShouldBe(head);
    }

    [Fact]
    public async Task A_repository_that_is_away_delays_entries_and_fails_nothing()
    {
        await using var test = await TestSite.CreateAsync();
        var warnings = new List<string>();
        await using var site = test.Open(warn: warnings.Add, deferAudit: true);
        Directory.Move(test.RepositoryFolder, test.RepositoryFolder + ".away");
        await site.Audit.RecordAsync(Something);
        await site.Audit.RecordAsync(Something);
        (await site.Audit.FlushAsync(CancellationToken.None)).ShouldBeFalse();
        site.Audit.Trouble.ShouldNotBeNull().ShouldContain(site.Audit.SpoolFolder);
        (await site.Audit.CountWaitingAsync(CancellationToken.None)).ShouldBe(2);
        Directory.Move(test.RepositoryFolder + ".away", test.RepositoryFolder);
        (await site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
        site.Audit.Trouble.ShouldBeNull();
        (await site.Audit.CountWaitingAsync(CancellationToken.None)).ShouldBe(0);
        (await EntriesAsync(test)).Count(e => e.Action == Something.Action).ShouldBe(2);
        warnings.ShouldBeEmpty(); // a command says it itself
    }

    [Fact]
    public async Task What_a_killed_process_left_goes_with_the_next_segment()
    {
        await using var test = await TestSite.CreateAsync();
        await using (var killed = test.Open(deferAudit: true)) await killed.Audit.RecordAsync(Something with { Outcome = AuditOutcome.Started });
        await using (var next = test.Open())
        {
            await next.Audit.RecordAsync(Something with { Target = "another" });
            (await next.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
        }

        (await EntriesAsync(test)).Where(e => e.Action == Something.Action).Select(e => (e.Target, e.Outcome))
            .ShouldBe([("something", AuditOutcome.Started), ("another", AuditOutcome.Done)]);
    }

    [Fact]
    public async Task What_cannot_even_wait_fails_no_backup_and_its_number_is_recorded_later()
    {
        await using var test = await TestSite.CreateAsync();
        Directory.CreateDirectory(test.StateFolder);
        var blocker = Path.Join(test.StateFolder, "audit");
        File.WriteAllText(blocker, "");
        await using (var engine = await TestEngine.StartAsync(test))
        {
            var backup = await engine.RunAsync<BackupResult>(nameof(BackupOrchestrator), new BackupRequest { Components = ["logs"] }, "backup-1");
            (backup.Outcome, backup.ExitCode).ShouldBe((RunOutcome.Complete, 0));
            File.Delete(blocker);
            await engine.Site.Audit.RecordAsync(Something);
            (await engine.Site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
        }

        var lost = (await EntriesAsync(test)).Single(e => e.Action == AuditActions.AuditLost);
        int.Parse(lost.Facts["entries"]).ShouldBe(2); // the backup and its verification
    }

    [Fact]
    public async Task Each_trouble_is_warned_of_once()
    {
        await using var test = await TestSite.CreateAsync();
        var warnings = new List<string>();
        await using var site = test.Open(warn: w =>
        {
            lock (warnings) warnings.Add(w);
        });
        Directory.Move(test.RepositoryFolder, test.RepositoryFolder + ".away");
        for (var i = 0; i < 5; i++) await site.Audit.RecordAsync(Something);
        for (var i = 0; i < 3; i++) (await site.Audit.FlushAsync(CancellationToken.None)).ShouldBeFalse();
        warnings.Count.ShouldBe(1);
        Directory.Move(test.RepositoryFolder + ".away", test.RepositoryFolder);
        (await site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
    }

    [Fact]
    public async Task A_host_writes_soon_and_what_is_left_when_it_ends()
    {
        await using var test = await TestSite.CreateAsync();
        await using (var site = test.Open())
            for (var i = 0; i < 10; i++) await site.Audit.RecordAsync(Something with { Target = $"{i}" });
        (await EntriesAsync(test)).Where(e => e.Action == Something.Action).Select(e => e.Target)
            .ShouldBe(Enumerable.Range(0, 10).Select(i => $"{i}"), ignoreOrder: true);
    }

    [Fact]
    public async Task A_changed_configuration_is_recorded_with_what_changed()
    {
        await using var test = await TestSite.CreateAsync();
        await using (var site = test.Open()) await site.Audit.RecordAsync(Something);
        var text = File.ReadAllText(test.ConfigurationFile);
        File.WriteAllText(test.ConfigurationFile, text.Replace("parallel_jobs: 2", "parallel_jobs: 3", StringComparison.Ordinal));
        await using (var site = test.Open()) await site.Audit.RecordAsync(Something);
        await using (var site = test.Open()) await site.Audit.RecordAsync(Something);
        var changes = (await EntriesAsync(test)).Where(e => e.Action == AuditActions.ConfigurationChanged).ToList();
        changes.Count.ShouldBe(2);
        changes[1].Items.ShouldHaveSingleItem().ShouldBe(new AuditItem("global.parallel_jobs", "changed", "2 → 3"));
        changes[1].Facts["hash_before"].ShouldBe(changes[0].Facts["hash"]);
    }

    [Fact]
    public async Task Garbage_collection_leaves_the_log_alone()
    {
        await using var test = await TestSite.CreateAsync();
        await using var engine = await TestEngine.StartAsync(test);
        await engine.RunAsync<BackupResult>(nameof(BackupOrchestrator), new BackupRequest { Components = ["logs"], Verify = "none" }, "backup-1");
        (await engine.Site.Audit.FlushAsync(CancellationToken.None)).ShouldBeTrue();
        await using var repository = await test.OpenRepositoryAsync();
        var before = await repository.Store.ListAsync(AuditNames.Prefix, CancellationToken.None).Select(i => i.Name).ToListAsync();
        before.Count.ShouldBeGreaterThan(1);
        await foreach (var id in repository.Snapshots.ListIdsAsync(null, CancellationToken.None)) await repository.Snapshots.DeleteAsync(id, CancellationToken.None);
        await engine.RunAsync<RetentionResult>(nameof(RetentionOrchestrator), new RetentionRequest { GraceHours = 1 }, "retention-1");
        var after = await repository.Store.ListAsync(AuditNames.Prefix, CancellationToken.None).Select(i => i.Name).ToListAsync();
        before.ShouldBeSubsetOf(after);
        (await new AuditVerifier(repository).RunAsync([], null, CancellationToken.None)).Breaks.ShouldBeEmpty();
    }

    private static async Task<List<AuditEntry>> EntriesAsync(TestSite test)
    {
        await using var repository = await test.OpenRepositoryAsync();
        return await new AuditReader(repository).ReadAsync(new AuditFilter(), CancellationToken.None).Select(r => r.Entry).ToListAsync();
    }
}
