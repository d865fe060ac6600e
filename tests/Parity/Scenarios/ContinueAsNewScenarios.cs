using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Orchestrations that begin again.</summary>
internal static class ContinueAsNewScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("it begins again with the new input, and the last output counts", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                await c.CallActivityAsync("Tick");
                if (n < 4) c.ContinueAsNew(n + 1);
                return $"round {n}";
            });
            s.Activity("Tick", (string? _) => s.Count("ticks"));
            await s.Run("Main", 0);
            s.SayCounts();
        }),
        new("it begins again without a wait", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c, int n) =>
            {
                if (n < 50) c.ContinueAsNew(n + 1);
                return Task.FromResult(n);
            });
            await s.Run("Main", 0);
        }),
        new("a new input of null", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c, string? text) =>
            {
                if (text is not null) c.ContinueAsNew((object?)null);
                return Task.FromResult(text ?? "null");
            });
            await s.Run("Main", "first");
        }),
        new("an output or a failure after it", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c, int n) =>
            {
                if (n == 0)
                {
                    c.ContinueAsNew(1);
                    throw new IOException("after it");
                }

                return Task.FromResult("second round");
            });
            await s.Run("Main", 0);
        }),
        new("twice in a round: the last one counts", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c, int n) =>
            {
                if (n == 0)
                {
                    c.ContinueAsNew(5);
                    c.ContinueAsNew(7);
                }

                return Task.FromResult(n);
            });
            await s.Run("Main", 0);
        }),
        new("it goes on to its end after the call", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                if (n == 0) c.ContinueAsNew(1);
                await c.CallActivityAsync("Tick", n);
                return n;
            });
            s.Activity("Tick", (int n) => s.Count($"ticks in round {n}"));
            await s.Run("Main", 0);
            s.SayCounts();
        }),
        new("events that were not processed are carried over", async s => await Carried(s, preserve: true)),
        new("events that were not processed are dropped if asked", async s => await Carried(s, preserve: false)),
        new("custom status over rounds", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                if (n == 0)
                {
                    c.SetCustomStatus("first");
                    c.ContinueAsNew(1);
                    return "again";
                }

                await c.WaitForExternalEvent<string>("go");
                return "done";
            });
            var id = await s.Start("Main", 0);
            await s.Until(id, m => m?.SerializedInput == "1" && m.RuntimeStatus == OrchestrationRuntimeStatus.Running);
            await s.Look(id, "in the second round");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go"));
            await s.End(id);
        }),
        new("timers and activities of the last round do not reach the new one", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                if (n == 0)
                {
                    _ = c.CallActivityAsync<string>("Slow", n);
                    _ = c.CreateTimer(TimeSpan.FromMilliseconds(50), CancellationToken.None);
                    await c.CallActivityAsync<string>("Fast", n);
                    c.ContinueAsNew(1);
                    return "again";
                }

                using var stop = new CancellationTokenSource();
                var timer = c.CreateTimer(TimeSpan.FromMinutes(1), stop.Token);
                var slow = c.CallActivityAsync<string>("Slow", n);
                var first = await Task.WhenAny(timer, slow);
                stop.Cancel();
                return first == timer ? "timer" : await slow;
            });
            s.Activity("Fast", (int n) => $"fast {n}");
            s.Activity("Slow", async (int n) =>
            {
                await Task.Delay(n == 0 ? 150 : 300);
                return $"slow {n}";
            });
            await s.Run("Main", 0);
        }),
        new("what was scheduled in the same breath as the end of a round", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                if (n == 0)
                {
                    _ = c.CallActivityAsync<int>("Tick", n);
                    c.ContinueAsNew(1);
                    return "again";
                }

                await c.CreateTimer(TimeSpan.FromMilliseconds(200), CancellationToken.None);
                return "done";
            });
            s.Activity("Tick", (int n) => s.Count($"ticks in round {n}"));
            await s.Run("Main", 0);
            s.SayCounts();
        },
        "The in-memory service drops what was scheduled in the episode that ended the round; the real dispatcher (DurableTask.Core) " +
            "sends it. Do not rely on either."),
        new("the instance's times and id over rounds", async s =>
        {
            var created = new List<DateTimeOffset>();
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                c.SetCustomStatus($"round {n}");
                await c.WaitForExternalEvent<string>("go");
                if (n < 1) c.ContinueAsNew(n + 1);
                return $"{c.InstanceId} {n}";
            });
            await s.StartAs("eternal", "Main", 0);
            var first = await s.UntilStatus("eternal", "round 0");
            await s.Try("raise", c => c.RaiseEventAsync("eternal", "go"));
            var second = await s.UntilStatus("eternal", "round 1");
            s.Say($"updated later {second?.LastUpdatedAt > first?.LastUpdatedAt}");
            await s.Try("raise", c => c.RaiseEventAsync("eternal", "go"));
            await s.End("eternal");
        }),
        new("ids and times differ from round to round", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, string[] seen) =>
            {
                await c.CreateTimer(TimeSpan.FromMilliseconds(5), CancellationToken.None);
                string[] now = [.. seen, c.NewGuid().ToString()];
                if (now.Length < 3) c.ContinueAsNew(now);
                return now.Distinct().Count();
            });
            await s.Run("Main", Array.Empty<string>());
        }),
        new("terminated between rounds", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                await c.CreateTimer(TimeSpan.FromMilliseconds(5), CancellationToken.None);
                c.ContinueAsNew(n + 1);
                return n;
            });
            var id = await s.Start("Main", 0);
            await s.Until(id, m => m?.SerializedInput is "3" or "4" or "5" or "6");
            await s.Try("terminate", c => c.TerminateInstanceAsync(id, "enough"));
            using var patience = new CancellationTokenSource(Stage.Patience);
            var end = await (await s.ClientAsync()).WaitForInstanceCompletionAsync(id, true, patience.Token);
            s.Say($"{end.RuntimeStatus} {end.SerializedOutput}");
        }),
    ];

    private static async Task Carried(Stage s, bool preserve)
    {
        s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
        {
            if (n == 0)
            {
                c.SetCustomStatus("waiting");
                await c.WaitForExternalEvent<string>("go");
                c.ContinueAsNew(1, preserve);
                return "again";
            }

            var got = new List<string>();
            try
            {
                for (var i = 0; i < 3; i++) got.Add(await c.WaitForExternalEvent<string>("item", TimeSpan.FromMilliseconds(200)));
            }
            catch (TaskCanceledException)
            {
                got.Add("no more");
            }

            return string.Join(' ', got);
        });
        var id = await s.Start("Main", 0);
        await s.UntilStatus(id, "waiting");
        await s.Try("raise", c => c.RaiseEventAsync(id, "item", "a"));
        await s.Try("raise", c => c.RaiseEventAsync(id, "item", "b"));
        await s.Try("raise", c => c.RaiseEventAsync(id, "go", "now"));
        await s.End(id);
    }
}
