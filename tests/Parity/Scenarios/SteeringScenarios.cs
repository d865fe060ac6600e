using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Suspend, resume, terminate, rewind, purge.</summary>
internal static class SteeringScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("suspended, it keeps events and goes on when resumed", async s =>
        {
            Waiter(s);
            var id = await s.Start("Waiter");
            await s.UntilStatus(id, "waiting");
            await s.Try("suspend", c => c.SuspendInstanceAsync(id, "wait a bit"));
            await s.Until(id, OrchestrationRuntimeStatus.Suspended);
            await s.Look(id, "suspended");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "meanwhile"));
            await Task.Delay(200);
            await s.Look(id, "still");
            await s.Try("resume", c => c.ResumeInstanceAsync(id, "go on"));
            await s.End(id);
        }),
        new("suspended, it keeps the order of events", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("waiting");
                return string.Join(' ', await c.WaitForExternalEvent<string>("a"), await c.WaitForExternalEvent<string>("a"),
                    await c.WaitForExternalEvent<string>("a"));
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("raise", c => c.RaiseEventAsync(id, "a", "1"));
            await s.Try("suspend", c => c.SuspendInstanceAsync(id));
            await s.Until(id, OrchestrationRuntimeStatus.Suspended);
            await s.Try("raise", c => c.RaiseEventAsync(id, "a", "2"));
            await s.Try("raise", c => c.RaiseEventAsync(id, "a", "3"));
            await s.Try("resume", c => c.ResumeInstanceAsync(id));
            await s.End(id);
        }),
        new("suspended, an activity's result waits", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("working");
                var result = await c.CallActivityAsync<string>("Slow");
                c.SetCustomStatus("worked");
                return result + await c.CallActivityAsync<string>("Next");
            });
            s.Activity("Slow", async (string? _) =>
            {
                s.Open("begun");
                await s.Gate("end");
                s.Open("ended");
                return "slow";
            });
            s.Activity("Next", (string? _) => s.Count("next").ToString());
            var id = await s.Start("Main");
            await s.Gate("begun");
            await s.UntilStatus(id, "working");
            await s.Try("suspend", c => c.SuspendInstanceAsync(id));
            await s.Until(id, OrchestrationRuntimeStatus.Suspended);
            s.Open("end");
            await s.Gate("ended");
            await Task.Delay(200);
            await s.Look(id, "activity done");
            s.Say($"next {s.CountOf("next")}");
            await s.Try("resume", c => c.ResumeInstanceAsync(id));
            await s.End(id);
        }),
        new("suspended over a timer's time", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("waiting");
                await c.CreateTimer(TimeSpan.FromMilliseconds(700), CancellationToken.None);
                return "fired";
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("suspend", c => c.SuspendInstanceAsync(id));
            await s.Until(id, OrchestrationRuntimeStatus.Suspended);
            await Task.Delay(1000);
            await s.Look(id, "after its time");
            await s.Try("resume", c => c.ResumeInstanceAsync(id));
            await s.End(id);
        }),
        new("suspended twice, resumed once; resumed without need", async s =>
        {
            Waiter(s);
            var id = await s.Start("Waiter");
            await s.UntilStatus(id, "waiting");
            await s.Try("suspend", c => c.SuspendInstanceAsync(id));
            await s.Try("suspend", c => c.SuspendInstanceAsync(id));
            await s.Until(id, OrchestrationRuntimeStatus.Suspended);
            await s.Try("resume", c => c.ResumeInstanceAsync(id));
            await s.Until(id, OrchestrationRuntimeStatus.Running);
            await s.Try("resume", c => c.ResumeInstanceAsync(id));
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "x"));
            await s.End(id);
        }),
        new("suspend and resume of an ended and of an unknown instance", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            var id = await s.Start("Main");
            await s.End(id);
            await s.Try("suspend ended", c => c.SuspendInstanceAsync(id));
            await s.Try("resume ended", c => c.ResumeInstanceAsync(id));
            await Task.Delay(100);
            await s.Look(id, "ended");
            await s.Try("suspend unknown", c => c.SuspendInstanceAsync("nobody"));
            await s.Try("resume unknown", c => c.ResumeInstanceAsync("nobody"));
        },
        "On Azure the Functions host refuses these with FailedPrecondition or NotFound, an RpcException to the caller."),
        new("terminated while it waits", async s =>
        {
            Waiter(s);
            var id = await s.Start("Waiter");
            await s.UntilStatus(id, "waiting");
            await s.Try("terminate", c => c.TerminateInstanceAsync(id, "enough"));
            await s.End(id);
        }),
        new("terminated with an object, and with nothing", async s =>
        {
            Waiter(s);
            foreach (var output in new object?[] { new { Reason = "enough", Code = 3 }, null })
            {
                var id = await s.Start("Waiter");
                await s.UntilStatus(id, "waiting");
                await s.Try("terminate", c => c.TerminateInstanceAsync(id, new TerminateInstanceOptions(output)));
                await s.End(id);
            }
        }),
        new("terminated while suspended", async s =>
        {
            Waiter(s);
            var id = await s.Start("Waiter");
            await s.UntilStatus(id, "waiting");
            await s.Try("suspend", c => c.SuspendInstanceAsync(id));
            await s.Until(id, OrchestrationRuntimeStatus.Suspended);
            await s.Try("terminate", c => c.TerminateInstanceAsync(id, "enough"));
            await s.End(id);
        }),
        new("terminated while an activity runs: its end changes nothing", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.CallActivityAsync<string>("Slow"));
            s.Activity("Slow", async (string? _) =>
            {
                s.Open("begun");
                await s.Gate("end");
                s.Open("ended");
                return "slow";
            });
            var id = await s.Start("Main");
            await s.Gate("begun");
            await s.Try("terminate", c => c.TerminateInstanceAsync(id, "enough"));
            await s.End(id);
            s.Open("end");
            await s.Gate("ended");
            await Task.Delay(100);
            await s.Look(id, "later");
        }),
        new("terminated after its end and terminated unknown", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            var id = await s.Start("Main");
            await s.End(id);
            await s.Try("terminate ended", c => c.TerminateInstanceAsync(id, "enough"));
            await Task.Delay(100);
            await s.Look(id, "ended");
            await s.Try("terminate unknown", c => c.TerminateInstanceAsync("nobody", "enough"));
        },
        "On Azure the Functions host answers NotFound or FailedPrecondition, an RpcException to the caller."),
        new("a terminated parent, its child left alone", async s => await Parent(s, recursive: false)),
        new("a terminated parent, its child with it", async s => await Parent(s, recursive: true),
            "The in-memory service does not end children; Azure Storage's backend does not either and ours does, as the option says."),
        new("rewind of a failed instance", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallActivityAsync<string>("First") + await c.CallActivityAsync<string>("Second"));
            s.Activity("First", (string? _) => $"first {s.Count("first")} ");
            s.Activity("Second", (string? _) => s.Count("second") == 1 ? throw new IOException("once") : "second");
            var id = await s.Start("Main");
            await s.End(id, "failed");
            await s.Try("rewind", c => c.RewindInstanceAsync(id, "mended"));
            await s.End(id, "after");
            s.SayCounts();
        },
        "The in-memory service has no rewind."),
        new("rewind of others", async s =>
        {
            Waiter(s);
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            var ended = await s.Start("Main");
            await s.End(ended);
            await s.Try("rewind completed", c => c.RewindInstanceAsync(ended, "x"));
            await s.Try("rewind unknown", c => c.RewindInstanceAsync("nobody", "x"));
        },
        "The in-memory service has no rewind. On Azure: ArgumentException for an unknown id (NotFound), InvalidOperationException " +
            "for one that has not failed (FailedPrecondition)."),
        new("purge of an ended, a running and an unknown instance", async s =>
        {
            Waiter(s);
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            var ended = await s.Start("Main");
            await s.End(ended);
            var running = await s.Start("Waiter");
            await s.UntilStatus(running, "waiting");
            var client = await s.ClientAsync();
            s.Say($"ended {(await client.PurgeInstanceAsync(ended)).PurgedInstanceCount}");
            s.Say($"again {(await client.PurgeInstanceAsync(ended)).PurgedInstanceCount}");
            s.Say($"running {(await client.PurgeInstanceAsync(running)).PurgedInstanceCount}");
            s.Say($"unknown {(await client.PurgeInstanceAsync("nobody")).PurgedInstanceCount}");
            await s.Look(ended, "ended");
            await s.Look(running, "running");
        }),
        new("purge by filter", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c, bool fail) => fail ? throw new IOException("x") : Task.FromResult("done"));
            foreach (var fail in new[] { false, true, false }) await s.End(await s.Start("Main", fail));
            var client = await s.ClientAsync();
            var past = DateTimeOffset.UtcNow.AddHours(-1);
            await Purge("created before", new(past.AddDays(-1), past, null));
            await Purge("failed", new(past, null, [OrchestrationRuntimeStatus.Failed]));
            await Purge("rest", new(past, null, [OrchestrationRuntimeStatus.Completed, OrchestrationRuntimeStatus.Failed]));

            async Task Purge(string label, PurgeInstancesFilter filter) =>
                s.Say($"{label} {(await client.PurgeAllInstancesAsync(filter)).PurgedInstanceCount}");
        }),
        new("purge with the children", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallSubOrchestratorAsync<string>("Child", null, new SubOrchestrationOptions(instanceId: "purged-child")));
            s.Orchestrator("Child", (TaskOrchestrationContext c) => Task.FromResult("done"));
            var id = await s.Start("Main");
            await s.End(id);
            s.Say($"purged {(await (await s.ClientAsync()).PurgeInstanceAsync(id, new PurgeInstanceOptions(true))).PurgedInstanceCount}");
            await s.Look("purged-child", "child");
        },
        "The in-memory service leaves the children; the option's meaning is to purge them."),
        new("a custom status that is large", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus(new string('x', 40_000));
                return Task.FromResult("done");
            });
            await s.Run("Main");
        },
        "Azure Functions takes 16 KB at most. Keep it small."),
        new("custom status: a string, an object, and null", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus(new { Done = 3, Of = 10, What = "units" });
                await c.WaitForExternalEvent<string>("2");
                c.SetCustomStatus(null);
                await c.WaitForExternalEvent<string>("3");
                c.SetCustomStatus("one");
                c.SetCustomStatus("last");
                return "done";
            });
            var id = await s.Start("Main");
            await s.Until(id, m => m?.SerializedCustomStatus?.Contains("units", StringComparison.Ordinal) == true);
            await s.Look(id, "object");
            await s.Try("2", c => c.RaiseEventAsync(id, "2"));
            await s.Until(id, m => m?.SerializedCustomStatus is null or "\"\"");
            await s.Look(id, "null");
            await s.Try("3", c => c.RaiseEventAsync(id, "3"));
            await s.End(id);
        }),
        new("custom status of one that fails stays", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("nearly there");
                await c.CallActivityAsync("Fine");
                throw new IOException("but then");
#pragma warning disable CS0162 // The type of the result.
                return 0;
#pragma warning restore CS0162
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
    ];

    private static void Waiter(Stage s) => s.Orchestrator("Waiter", async (TaskOrchestrationContext c) =>
    {
        c.SetCustomStatus("waiting");
        return await c.WaitForExternalEvent<string>("go");
    });

    private static async Task Parent(Stage s, bool recursive)
    {
        Waiter(s);
        s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            await c.CallSubOrchestratorAsync<string>("Waiter", null, new SubOrchestrationOptions(instanceId: "left-child")));
        var id = await s.Start("Main");
        await s.UntilStatus("left-child", "waiting");
        await s.Try("terminate", c => c.TerminateInstanceAsync(id, new TerminateInstanceOptions("enough", recursive)));
        await s.End(id, "parent");
        await Task.Delay(200);
        await s.Look("left-child", "child");
    }
}
