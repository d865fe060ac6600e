using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Replays, and orchestrators that break the rules.</summary>
internal static class DeterminismScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("replay-safe loggers write once, others at each replay", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
#pragma warning disable CA1848, CA2254 // Only counted.
                c.CreateReplaySafeLogger("Scenario").LogInformation("begin");
                await c.CallActivityAsync("Fine");
                c.CreateReplaySafeLogger("Scenario").LogInformation("middle");
                await c.CreateTimer(TimeSpan.FromMilliseconds(20), CancellationToken.None);
                c.ReplaySafeLoggerFactory.CreateLogger("Scenario").LogInformation("end");
#pragma warning restore CA1848, CA2254
                return "done";
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
            s.SayCounts();
        }),
        new("what is replaying, and what is not", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                if (!c.IsReplaying) s.Count("begin, new");
                await c.CallActivityAsync("Fine");
                if (!c.IsReplaying) s.Count("after the activity, new");
                await c.CreateTimer(TimeSpan.FromMilliseconds(20), CancellationToken.None);
                if (!c.IsReplaying) s.Count("after the timer, new");
                return c.IsReplaying;
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
            s.SayCounts();
        }),
        new("code that changed: another activity", async s => await Changed(
            s, c => c.CallActivityAsync<int>("First"), c => c.CallActivityAsync<int>("Second"))),
        new("code that changed: a timer in the place of an activity", async s => await Changed(
            s, c => c.CallActivityAsync<int>("First"), c => c.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None))),
        new("code that changed: an activity in the place of a timer", async s => await Changed(
            s, c => c.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None), c => c.CallActivityAsync<int>("First"))),
        new("code that changed: a sub-orchestration in the place of an activity", async s => await Changed(
            s, c => c.CallActivityAsync<int>("First"), c => c.CallSubOrchestratorAsync<int>("Child"))),
        new("code that changed: an activity in the place of a sub-orchestration", async s => await Changed(
            s, c => c.CallSubOrchestratorAsync<int>("Child"), c => c.CallActivityAsync<int>("First"))),
        new("code that changed: a call less", async s => await Changed(
            s, c => c.CallActivityAsync<int>("First"), _ => Task.CompletedTask)),
        new("code that changed: another name of a sub-orchestration", async s => await Changed(
            s, c => c.CallSubOrchestratorAsync<int>("Child"), c => c.CallSubOrchestratorAsync<int>("Child2"))),
        new("code that changed: another input of the same activity goes on", async s => await Changed(
            s, c => c.CallActivityAsync<int>("First", 1), c => c.CallActivityAsync<int>("First", 2))),
        new("awaiting what is not durable: Task.Delay first", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await Task.Delay(300);
                return await c.CallActivityAsync<int>("First");
            });
            s.Activity("First", (string? _) => 1);
            await s.Run("Main");
        }),
        new("awaiting what is not durable: Task.Delay after a step", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await c.CallActivityAsync<int>("First");
                await Task.Delay(300);
                return await c.CallActivityAsync<int>("First");
            });
            s.Activity("First", (string? _) => 1);
            var id = await s.Start("Main");
            await s.EndOrNot(id);
        },
        "The framework does not notice: the instance stays Running for ever. An engine that names the fault is better."),
        new("work on another thread that is waited for within a step is not seen", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult(Task.Run(() => 5).GetAwaiter().GetResult()));
            await s.Run("Main");
        }),
        new("awaiting a task that has ended already is fine", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await Task.CompletedTask;
                return await Task.FromResult(3) + await c.CallActivityAsync<int>("First");
            });
            s.Activity("First", (string? _) => 1);
            await s.Run("Main");
        }),
        new("Task.Yield within an orchestrator", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("begun");
                await Task.Yield();
                return await c.CallActivityAsync<int>("First");
            });
            s.Activity("First", (string? _) => 1);
            await s.Run("Main");
        }),
        new("Task.WhenEach", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var sum = 0;
                await foreach (var task in Task.WhenEach(Enumerable.Range(1, 3).Select(i =>
                    c.CallActivityAsync<int>("First", i)).ToArray())) sum += await task;
                return sum;
            });
            s.Activity("First", (int i) => i);
            var id = await s.Start("Main");
            await s.EndOrNot(id);
        },
        "It goes on on other threads: not for orchestrators."),
        new("CancelAsync", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                using var stop = new CancellationTokenSource();
                var timer = c.CreateTimer(TimeSpan.FromHours(5), stop.Token);
                await c.CallActivityAsync("First");
                await stop.CancelAsync();
                return await Task.WhenAny(timer) == timer;
            });
            s.Activity("First", (string? _) => 1);
            var id = await s.Start("Main");
            await s.EndOrNot(id);
        },
        "It runs what is registered on other threads: not for orchestrators; Cancel is."),
        new("a lock of its own and a linked token are fine", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                using var gate = new SemaphoreSlim(1, 1);
                using var linked = CancellationTokenSource.CreateLinkedTokenSource(CancellationToken.None);
                var sum = 0;
                await Task.WhenAll(Enumerable.Range(0, 3).Select(async i =>
                {
                    await gate.WaitAsync(linked.Token);
                    try
                    {
                        sum += await c.CallActivityAsync<int>("First", i);
                    }
                    finally
                    {
                        gate.Release();
                    }
                }));
                return sum;
            });
            s.Activity("First", (int i) => i);
            var id = await s.Start("Main");
            await s.EndOrNot(id);
        }),
    ];

    /// <summary>The orchestrator's first step is another one in the second round of its code.</summary>
    private static async Task Changed(Stage s, Func<TaskOrchestrationContext, Task> before, Func<TaskOrchestrationContext, Task> after)
    {
        var changed = false;
        s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
        {
            await (changed ? after(c) : before(c));
            c.SetCustomStatus("first step done");
            await c.WaitForExternalEvent<string>("go");
            return "done";
        });
        s.Orchestrator("Child", (TaskOrchestrationContext c) => Task.FromResult(1));
        s.Orchestrator("Child2", (TaskOrchestrationContext c) => Task.FromResult(2));
        s.Activity("First", (int? _) => 1);
        s.Activity("Second", (int? _) => 2);
        var id = await s.Start("Main");
        await s.UntilStatus(id, "first step done");
        changed = true;
        await s.Try("raise", c => c.RaiseEventAsync(id, "go"));
        await s.End(id);
    }
}
