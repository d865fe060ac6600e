using System.Diagnostics;
using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.Tests.SelfHosting.Host;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>The worker's process is killed, again and again: nothing is lost, and nothing counts twice.</summary>
public sealed class KillTests
{
    [Fact]
    public Task A_worker_that_is_killed_at_random_moments_loses_nothing_and_counts_nothing_twice() => KillAsync(25, 1);

    [Theory]
    [Trait("Category", "Long")]
    [InlineData(120, 2)]
    [InlineData(120, 3)]
    public Task The_same_with_many_more_kills(int kills, int seed) => KillAsync(kills, seed);

    [Fact]
    public async Task One_process_works_and_another_one_asks_and_takes_over_when_the_first_is_killed()
    {
        using var folder = new TemporaryFolder();
        var (state, ledger) = (folder.File("state.db"), folder.File("ledger"));
        var work = new LedgerOrchestrations(10);
        using var host = Start(state, ledger, 10);
        (await host.StandardOutput.ReadLineAsync()).ShouldBe("working");
        var registry = work.Register(new Ledger(ledger));
        await using var client = await DurableEngine.OpenAsync(new() { DatabasePath = state }, registry, CancellationToken.None);
        client.TryStartWorker().ShouldBeFalse();
        // The other process notices what this one starts.
        var id = await client.Client.ScheduleNewOrchestrationInstanceAsync("Branch", "asked");
        (await client.Client.WaitForInstanceCompletionAsync(id, true).WaitAsync(TimeSpan.FromSeconds(60)))
            .ReadOutputAs<int>().ShouldBe(work.Leaves);
        host.Kill();
        await host.WaitForExitAsync();
        client.TryStartWorker().ShouldBeTrue();
        await LedgerOrchestrations.StartAsync(client.Client);
        await CheckAsync(client, ledger, work);
    }

    private static async Task KillAsync(int kills, int seed)
    {
        using var folder = new TemporaryFolder();
        var (state, ledger) = (folder.File("state.db"), folder.File("ledger"));
        var random = new Random(seed);
        for (var i = 0; i < kills; i++)
        {
            using var host = Start(state, ledger, kills);
            // From before the file is open to the middle of the work.
            if (random.Next(5) > 0) (await host.StandardOutput.ReadLineAsync()).ShouldBe("working");
            await Task.WhenAny(Task.Delay(random.Next(60)), host.WaitForExitAsync());
            host.Kill();
            await host.WaitForExitAsync();
        }

        var work = new LedgerOrchestrations(kills);
        var registry = work.Register(new Ledger(ledger));
        await using var engine = await DurableEngine.OpenAsync(new() { DatabasePath = state }, registry, CancellationToken.None);
        // On a slow machine every kill may come before it is started.
        if (await engine.Client.GetInstanceAsync("loop") is { } loop) loop.IsCompleted.ShouldBeFalse("all kills hit unfinished work");
        engine.TryStartWorker().ShouldBeTrue();
        await LedgerOrchestrations.StartAsync(engine.Client);
        await CheckAsync(engine, ledger, work);
    }

    private static async Task CheckAsync(DurableEngine engine, string ledger, LedgerOrchestrations work)
    {
        async Task<T?> ResultAsync<T>(string id) =>
            (await engine.Client.WaitForInstanceCompletionAsync(id, true).WaitAsync(TimeSpan.FromMinutes(2))).ReadOutputAs<T>();
        (await ResultAsync<int>("fan")).ShouldBe(work.Units);
        (await ResultAsync<int>("loop")).ShouldBe(work.Rounds);
        (await ResultAsync<int>("tree")).ShouldBe(LedgerOrchestrations.Branches * work.Leaves);
        (await ResultAsync<int[]>("mail")).ShouldBe(Enumerable.Range(0, work.Letters));

        var done = (await File.ReadAllLinesAsync(ledger)).Select(l => l.Split(' ')[2]).ToHashSet();
        var expected = Enumerable.Range(0, work.Units).Select(i => $"unit-{i}")
            .Concat(Enumerable.Range(0, work.Rounds).Select(i => $"round-{i}"))
            .Concat(Enumerable.Range(0, work.Letters).Select(i => $"letter-{i}"))
            .Concat(Enumerable.Range(0, LedgerOrchestrations.Branches).SelectMany(b =>
                Enumerable.Range(0, work.Leaves).Select(i => $"branch-{b}-leaf-{i}")));
        expected.Where(e => !done.Contains(e)).ShouldBeEmpty("every activity ran");
        var history = await engine.GetHistoryAsync("fan");
        history.Where(r => r.Kind == HistoryEventKind.TaskCompleted).Select(r => r.TaskId).Order()
            .ShouldBe(Enumerable.Range(0, work.Units).Select(i => (long)i), "each result is there once");
        history.Select(r => r.Sequence).ShouldBe(Enumerable.Range(1, history.Count).Select(i => (long)i));
    }

    private static Process Start(string state, string ledger, int scale) => Process.Start(
        new ProcessStartInfo(Path.Join(AppContext.BaseDirectory, "engine-host"), [state, ledger, $"{scale}"])
        {
            RedirectStandardOutput = true, Environment = { ["DOTNET_TieredPGO"] = "0" },
        })!;
}
