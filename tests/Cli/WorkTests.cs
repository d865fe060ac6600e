namespace FunctionsBackup.Tests.Cli;

/// <summary>Work that is durable: seen, steered, left, taken over.</summary>
public sealed class WorkTests(DatabaseFixture database) : IClassFixture<DatabaseFixture>, IAsyncLifetime
{
    private static readonly string[] Both = ["postgres", "voice_data"];
    private readonly WorkSite _site = new(database.Server);

    private Fbackup Fbackup => _site.Fbackup;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _site.DisposeAsync();

    [Fact]
    public async Task What_runs_is_listed_shown_and_cancelled_and_nothing_of_it_remains()
    {
        Fbackup.Run("work", "list").Expect(0).Output.ShouldBe("Nothing runs.\n");
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        var listed = Fbackup.Run("work", "list", "--json").Expect(0).Json["instances"]!.AsArray().Single()!;
        listed["instance"]!.GetValue<string>().ShouldBe(id);
        listed["orchestration"]!.GetValue<string>().ShouldBe("BackupOrchestrator");
        listed["status"]!.GetValue<string>().ShouldBe("running");
        listed["progress"]!["Phase"]!.GetValue<string>().ShouldBe("storing");
        Fbackup.Run("work", "list").Expect(0).Output.ShouldMatch($"(?m)^{id} +running ");
        Fbackup.Run("work", "show", id).Expect(0).Output.ShouldContain("\"status\": \"running\"");

        var work = Fbackup.Run("status", "--json").Expect(3).Json["work"]!.AsArray().Single()!;
        work["instance"]!.GetValue<string>().ShouldBe(id);
        work["kind"]!.GetValue<string>().ShouldBe("backup");
        work["components"]!.AsArray().Select(c => c!.GetValue<string>()).ShouldBe(Both);
        work["phase"]!.GetValue<string>().ShouldBe("storing");
        work["total"]!.GetValue<int>().ShouldBe(2);
        work["follow"]!.GetValue<string>().ShouldBe($"fbackup work follow {id}");
        Fbackup.Run("status").Expect(3).Output.ShouldMatch(
            $"(?m)^backup +postgres, voice_data +storing, [01] of 2.* fbackup work follow {id}$");

        Fbackup.Run("work", "cancel", id).Expect(0).Error.ShouldContain($"{id} was told to cancel.");
        var ended = (await backup.EndAsync()).Expect(130);
        ended.Events[^1]["outcome"]!.GetValue<string>().ShouldBe("cancelled");
        _site.Snapshots().ShouldBeEmpty();
        _site.Running().ShouldBeEmpty();
        Fbackup.Run("status", "--json").Expect(3).Json["work"]!.AsArray().ShouldBeEmpty();
        Directory.GetFiles(Fbackup.PathOf("repository"), "*", SearchOption.AllDirectories).ShouldNotContain(f => f.Contains("/parts/"));
        Fbackup.Run("work", "list", "--all").Expect(0).Output.ShouldMatch($"(?m)^{id} +completed ");
        Fbackup.Run("backup", "verify", "--level", "full").Expect(0);
        foreach (var steer in (string[])["cancel", "suspend", "resume"])
            Fbackup.Run("work", steer, id).Expect(1).Error.ShouldContain($"{id} has ended already: completed.");

        _site.Gate.Open();
        Fbackup.Run("backup", "run").Expect(0);
        _site.Snapshots().ShouldBe(Both);
    }

    [Fact]
    public async Task What_is_suspended_rests_until_it_is_resumed()
    {
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        Fbackup.Run("work", "suspend", id).Expect(0);
        _site.AwaitStatus(id, "suspended");
        _site.Gate.Open();
        using var second = new RunningFbackup(Fbackup, "backup", "run");
        await second.SaysAsync($"'fbackup work resume {id}'");
        _site.Snapshots().ShouldBeEmpty();
        Fbackup.Run("work", "resume", id).Expect(0);
        (await backup.EndAsync()).Expect(0).Events[^1]["outcome"]!.GetValue<string>().ShouldBe("complete");
        (await second.EndAsync()).Expect(0);
        _site.Snapshots().ShouldBe(Both);
        _site.AllBackups().ShouldBe([id]);
    }

    [Fact]
    public async Task What_is_suspended_can_be_cancelled()
    {
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        Fbackup.Run("work", "suspend", id).Expect(0);
        _site.AwaitStatus(id, "suspended");
        Fbackup.Run("work", "cancel", id).Expect(0);
        (await backup.EndAsync()).Expect(130);
        _site.Snapshots().ShouldBeEmpty();
    }

    [Fact]
    public async Task Interrupted_it_is_cancelled()
    {
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        backup.Signal(Signal.Interrupt);
        var ended = (await backup.EndAsync()).Expect(130);
        ended.Error.ShouldContain($"Cancelling {id}");
        _site.StatusOf(id).ShouldBe("completed");
        _site.Snapshots().ShouldBeEmpty();
    }

    [Fact]
    public async Task Interrupted_it_is_left_if_that_was_asked_for_and_somebody_comes_back_to_it()
    {
        var (backup, id) = await _site.BeginBackupAsync("--on-interrupt", "detach");
        using var running = backup;
        backup.Signal(Signal.Interrupt);
        (await backup.EndAsync()).Expect(130).Error.ShouldContain($"'fbackup work follow {id}'");
        _site.Running().ShouldBe([id]);
        _site.Gate.Open();
        var followed = Fbackup.Run("work", "follow", id, "--json").Expect(0).Events[^1];
        followed["event"]!.GetValue<string>().ShouldBe("result");
        followed["RecoveryPointId"]!.GetValue<string>().ShouldNotBeEmpty();
        _site.Snapshots().ShouldBe(Both);
        Fbackup.Run("work", "follow", id).Expect(0).Output.ShouldContain("\"RecoveryPointId\"");
    }

    [Fact]
    public async Task What_a_killed_command_left_the_next_one_goes_on_with_and_it_ends_once()
    {
        var (backup, id) = await _site.BeginBackupAsync();
        using var running = backup;
        backup.Signal(Signal.Kill);
        (await backup.EndAsync()).ExitCode.ShouldBe(137);
        _site.Running().ShouldBe([id]);
        _site.Gate.Open();
        var next = Fbackup.Run("backup", "run", "--json").Expect(0);
        next.Error.ShouldContain($"{id} is at it already");
        next.Events[^1]["instance"]!.GetValue<string>().ShouldBe(id);
        _site.Snapshots().ShouldBe(Both);
        _site.AllBackups().ShouldBe([id]);
        Fbackup.Run("backup", "verify", "--level", "full").Expect(0);
    }

    [Theory]
    [InlineData("show")]
    [InlineData("follow")]
    [InlineData("cancel")]
    [InlineData("suspend")]
    [InlineData("resume")]
    public void What_is_not_there_is_said_so(string command)
    {
        var ran = Fbackup.Run("work", command, "backup-all-20010101T000000Z-0000").Expect(4);
        ran.Error.ShouldBe("fbackup: There is no instance 'backup-all-20010101T000000Z-0000'; 'fbackup work list --all' shows those there are.\n");
        ran.Output.ShouldBeEmpty();
    }
}
