using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Several tasks at a time.</summary>
internal static class FanOutScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("all results in the order of the calls", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await Task.WhenAll(Enumerable.Range(0, 20).Select(i => c.CallActivityAsync<int>("Square", i))));
            s.Activity("Square", (int x) => x * x);
            await s.Run("Main");
        }),
        new("one of all fails", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await Task.WhenAll(Enumerable.Range(0, 5).Select(i => c.CallActivityAsync<int>("Odd", i))));
            s.Activity("Odd", (int x) => x == 3 ? throw new IOException("three") : x);
            await s.Run("Main");
        }),
        new("several of all fail: the first of the calls is thrown, all are kept", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var all = Task.WhenAll(Enumerable.Range(0, 4).Select(i => c.CallActivityAsync<int>("Odd", i)));
                try
                {
                    await all;
                    return "no failure";
                }
                catch (TaskFailedException e)
                {
                    return $"{e.FailureDetails.ErrorMessage} of {string.Join(", ", all.Exception!.InnerExceptions.Select(i => i.Message))}";
                }
            });
            s.Activity("Odd", (int x) => x % 2 == 1 ? throw new IOException($"{x} is odd") : x);
            await s.Run("Main");
        }),
        new("the first of any wins; the end waits for the losers", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var slow = c.CallActivityAsync<string>("Slow");
                var result = await await Task.WhenAny(slow, c.CallActivityAsync<string>("Fast"));
                c.SetCustomStatus("returning");
                return result;
            });
            s.Activity("Fast", (string? _) => "fast");
            s.Activity("Slow", async (string? _) =>
            {
                await s.Gate("end");
                return "slow";
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "returning");
            await s.Look(id, "the loser still runs");
            s.Open("end");
            await s.End(id);
        }),
        new("an orchestrator that returns with an open activity", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) =>
            {
                _ = c.CallActivityAsync<string>("Slow");
                return Task.FromResult("done");
            });
            s.Activity("Slow", async (string? _) =>
            {
                s.Open("begun");
                await s.Gate("end");
                return "slow";
            });
            var id = await s.Start("Main");
            await s.Gate("begun");
            await s.Until(id, m => m?.RuntimeStatus is not OrchestrationRuntimeStatus.Pending);
            await s.Look(id, "the activity runs");
            s.Open("end");
            await s.End(id);
        }),
        new("an orchestrator that fails with an open activity", async s =>
        {
            s.Orchestrator<string>("Main", c =>
            {
                _ = c.CallActivityAsync<string>("Slow");
                throw new IOException("at once");
            });
            s.Activity("Slow", async (string? _) =>
            {
                s.Open("begun");
                await s.Gate("end");
                return "slow";
            });
            var id = await s.Start("Main");
            await s.Gate("begun");
            await s.Until(id, m => m?.RuntimeStatus is not OrchestrationRuntimeStatus.Pending);
            await s.Look(id, "the activity runs");
            s.Open("end");
            await s.End(id);
        }),
        new("an orchestrator that returns with an open timer", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) =>
            {
                _ = c.CreateTimer(TimeSpan.FromMilliseconds(700), CancellationToken.None);
                return Task.FromResult("done");
            });
            var id = await s.Start("Main");
            await s.Until(id, m => m?.RuntimeStatus is not OrchestrationRuntimeStatus.Pending);
            await s.Look(id, "before the timer");
            await s.End(id);
        }),
        new("an orchestrator that returns with an open sub-orchestration", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) =>
            {
                _ = c.CallSubOrchestratorAsync<string>("Child", null, new SubOrchestrationOptions(instanceId: "open-child"));
                return Task.FromResult("done");
            });
            s.Orchestrator("Child", async (TaskOrchestrationContext c) => await c.WaitForExternalEvent<string>("go"));
            var id = await s.Start("Main");
            await s.Until("open-child", OrchestrationRuntimeStatus.Running);
            await s.Look(id, "the child runs");
            await s.Try("raise", c => c.RaiseEventAsync("open-child", "go", "x"));
            await s.End("open-child", "child");
            await s.End(id);
        }),
        new("an orchestrator that returns with an open wait for an event ends", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) =>
            {
                _ = c.WaitForExternalEvent<string>("never");
                return Task.FromResult("done");
            });
            await s.Run("Main");
        }),
        new("a task that failed and was never awaited does no harm", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                _ = c.CallActivityAsync<string>("Fail");
                await c.CallActivityAsync("Fine");
                return "done";
            });
            s.Activity<string?, string>("Fail", _ => throw new IOException("nobody cares"));
            s.Activity("Fine", async (string? _) =>
            {
                await Task.Delay(100);
                return 1;
            });
            await s.Run("Main");
        }),
        new("a bounded number in flight, by any", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var flying = new List<Task<int>>();
                var sum = 0;
                for (var i = 0; i < 12; i++)
                {
                    if (flying.Count == 3)
                    {
                        var landed = await Task.WhenAny(flying);
                        flying.Remove(landed);
                        sum += await landed;
                    }

                    flying.Add(c.CallActivityAsync<int>("Square", i));
                }

                foreach (var n in await Task.WhenAll(flying)) sum += n;
                return sum;
            });
            s.Activity("Square", (int x) =>
            {
                s.Count("squares");
                return x * x;
            });
            await s.Run("Main");
            s.SayCounts();
        }),
        new("continuations between the orchestrator's own methods", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var parts = await Task.WhenAll(Part(c, 1), Part(c, 2), Part(c, 3));
                return string.Join(' ', parts);
            });
            s.Activity("Square", (int x) => x * x);
            await s.Run("Main");

            static async Task<string> Part(TaskOrchestrationContext c, int n)
            {
                var first = await c.CallActivityAsync<int>("Square", n);
                await c.CreateTimer(TimeSpan.FromMilliseconds(10), CancellationToken.None);
                return $"{first}/{await c.CallActivityAsync<int>("Square", first)}";
            }
        }),
    ];
}
