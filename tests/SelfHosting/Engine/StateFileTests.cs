using FunctionsBackup.SelfHosting.Engine;
using Microsoft.Data.Sqlite;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>The file itself: who may read it, what is refused, what happens when it cannot be written.</summary>
public sealed class StateFileTests
{
    [Fact]
    public async Task The_file_and_its_folder_are_for_their_owner_alone()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("state/engine.db");
        await using var engine = await OpenAsync(path);
        engine.TryStartWorker().ShouldBeTrue();
        File.GetUnixFileMode(Path.GetDirectoryName(path)!).ShouldBe(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        foreach (var file in Directory.GetFiles(Path.GetDirectoryName(path)!))
            File.GetUnixFileMode(file).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite, file);
        Read<string>(path, "PRAGMA journal_mode").ShouldBe("wal");
    }

    [Fact]
    public async Task A_newer_format_is_refused_in_a_sentence()
    {
        using var folder = new TemporaryFolder();
        var path = await MadeAsync(folder);
        Read<object?>(path, "UPDATE meta SET value = '2' WHERE name = 'version'");
        (await Should.ThrowAsync<StateFileException>(() => OpenAsync(path))).Message.ShouldContain(
            "has format version 2, this program knows versions up to 1; use the newer program that wrote it.");
    }

    [Fact]
    public async Task A_database_of_something_else_is_refused_and_not_changed()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("other.db");
        Read<object?>(path, "CREATE TABLE customers (name TEXT)");
        (await Should.ThrowAsync<StateFileException>(() => OpenAsync(path))).Message
            .ShouldContain("is a database, but none of orchestrations");
        Read<long>(path, "SELECT count(*) FROM sqlite_schema").ShouldBe(1);
    }

    [Fact]
    public async Task Damage_is_told_in_a_sentence()
    {
        using var folder = new TemporaryFolder();
        var path = await MadeAsync(folder);
        var bytes = await File.ReadAllBytesAsync(path);
        await File.WriteAllBytesAsync(path, bytes[..^4096]);
        (await Should.ThrowAsync<StateFileException>(() => OpenAsync(path))).Message.ShouldContain("is damaged or is no state file");
        await File.WriteAllBytesAsync(path, [.. bytes.Select(b => (byte)(b ^ 0x5A))]);
        (await Should.ThrowAsync<StateFileException>(() => OpenAsync(path))).Message.ShouldContain("is damaged or is no state file");
        await File.WriteAllTextAsync(path, "not a database");
        await Should.ThrowAsync<StateFileException>(() => OpenAsync(path));
    }

    [Fact]
    public async Task A_folder_that_cannot_be_written_is_told_in_a_sentence()
    {
        (await Should.ThrowAsync<StateFileException>(() => OpenAsync("/proc/nowhere/state.db"))).Message
            .ShouldContain("/proc/nowhere/state.db cannot be made or written");
    }

    [Fact]
    public async Task When_the_file_cannot_grow_the_work_ends_with_the_reason_and_goes_on_later()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Store", async context =>
            {
                for (var i = 0; i < 50; i++) await context.CallActivityAsync<string>("Text", 20_000);
                return "stored";
            })
            .Activity<int, string>("Text", n => new string('x', n)).StartAsync();
        await fixture.Engine.LimitPagesAsync(40); // SQLite says the same as on a full disk
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Store");
        (await Should.ThrowAsync<StateFileException>(() => fixture.EndOfAsync(id))).Message.ShouldContain("is full; free some space");
        await Should.ThrowAsync<StateFileException>(() => fixture.Engine.WorkerCompletion);
        await fixture.Engine.LimitPagesAsync(1_000_000);
        fixture.Engine.TryStartWorker().ShouldBeTrue();
        (await fixture.EndOfAsync(id)).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed);
    }

    [Fact]
    public async Task A_stop_lets_running_activities_end_within_their_grace_time()
    {
        var running = new TaskCompletionSource();
        var go = new TaskCompletionSource();
        await using var fixture = await new EngineFixture()
            .Orchestrator("One", context => context.CallActivityAsync<int>("Slow"))
            .ActivityAsync("Slow", async _ =>
            {
                running.TrySetResult();
                await go.Task;
                return 5;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("One");
        await running.Task;
        var stop = fixture.Engine.StopWorkerAsync(CancellationToken.None);
        stop.IsCompleted.ShouldBeFalse();
        go.SetResult();
        await stop;
        (await fixture.Client.GetInstanceAsync(id, true))!.ReadOutputAs<int>().ShouldBe(5);
        await using var other = await fixture.OpenAsync();
        other.TryStartWorker().ShouldBeTrue("the lock is free");
        fixture.Engine.TryStartWorker().ShouldBeFalse();
    }

    [Fact]
    public async Task An_activity_that_is_stopped_runs_again_after_the_next_start()
    {
        var runs = 0;
        var running = new TaskCompletionSource();
        await using var fixture = await new EngineFixture { Grace = TimeSpan.FromMilliseconds(50) }
            .Orchestrator("One", context => context.CallActivityAsync<int>("Slow"))
            .ActivityAsync("Slow", async call =>
            {
                if (++runs > 1) return runs;
                running.SetResult();
                await Task.Delay(Timeout.Infinite, call.CancellationToken);
                return 0;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("One");
        await running.Task;
        await fixture.Engine.StopWorkerAsync(CancellationToken.None);
        (await fixture.Client.GetInstanceAsync(id))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Running);
        fixture.Engine.TryStartWorker().ShouldBeTrue();
        (await fixture.EndOfAsync(id)).ReadOutputAs<int>().ShouldBe(2);
    }

    [Fact]
    public async Task Instances_leave_memory_and_are_replayed_when_something_comes()
    {
        await using var fixture = await new EngineFixture { MaxLive = 3 }
            .Orchestrator("Wait", async context =>
            {
                var first = await context.CallActivityAsync<int>("Echo", context.GetInput<int>());
                context.SetCustomStatus("waiting");
                return first + await context.WaitForExternalEvent<int>("it");
            })
            .Activity<int, int>("Echo", i => i).StartAsync();
        for (var i = 0; i < 20; i++)
            await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait", i, new StartOrchestrationOptions($"wait-{i}"));
        for (var i = 0; i < 20; i++) await fixture.UntilStatusIsAsync($"wait-{i}", "waiting");
        while (fixture.Engine.LiveOrchestrators > 3) await Task.Delay(10);
        for (var i = 0; i < 20; i++) await fixture.Client.RaiseEventAsync($"wait-{i}", "it", 100);
        for (var i = 0; i < 20; i++) (await fixture.EndOfAsync($"wait-{i}")).ReadOutputAs<int>().ShouldBe(100 + i);
    }

    private static Task<DurableEngine> OpenAsync(string path) =>
        DurableEngine.OpenAsync(new() { DatabasePath = path }, new TaskRegistry(), CancellationToken.None);

    private static async Task<string> MadeAsync(TemporaryFolder folder)
    {
        var path = folder.File("state.db");
        await using (await OpenAsync(path))
        {
        }

        return path;
    }

    private static T Read<T>(string path, string sql)
    {
        using var connection = new SqliteConnection($"Data Source={path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (T)command.ExecuteScalar()!;
    }
}
