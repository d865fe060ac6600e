using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Starts, ids, duplicates, waiting.</summary>
internal static class StartScenarios
{
    private static readonly string[] Unended = ["Pending", "Running", "Suspended"];

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("an id is made if none is given", async s =>
        {
            Simple(s);
            s.Say(await s.Start("Main"));
            s.Say(await s.Start("Main", null, new StartOrchestrationOptions("given")));
        }),
        new("an unknown orchestrator", async s =>
        {
            Simple(s);
            await s.Run("Missing", 1);
        }),
        new("a start in the future waits", async s =>
        {
            Simple(s);
            var id = await s.Start("Main", 1, new StartOrchestrationOptions(StartAt: DateTimeOffset.UtcNow.AddMilliseconds(600)));
            await s.Look(id, "before");
            await s.End(id);
        },
        "The in-memory service of the test host ignores StartAt; Azure honours it, as we do."),
        new("a start in the past is at once", async s =>
        {
            Simple(s);
            await s.Run("Main", 1, new StartOrchestrationOptions(StartAt: DateTimeOffset.UtcNow.AddDays(-1)));
        }),
        new("a second start under the id of a running instance", async s => await Again(s, ended: false, null),
            "The in-memory service replaces whatever is there unless told otherwise. On Azure: overridableExistingInstanceStates of " +
                "host.json, by default NonRunningStates: AlreadyExists, an OrchestrationAlreadyExistsException. We do that."),
        new("a second start under the id of a completed instance", async s => await Again(s, ended: true, null)),
        new("a second start, to be refused while one runs, of a running instance", async s => await Again(s, ended: false, Unended)),
        new("a second start, to be refused while one runs, of a completed instance", async s => await Again(s, ended: true, Unended)),
        new("a second start, never to be refused, of a running instance", async s => await Again(s, ended: false, []),
            "On Azure the running instance is terminated first, or the start refused, according to the backend."),
        new("a second start, to be refused whatever there is, of a completed instance", async s => await Again(s, ended: true,
            ["Completed", "Failed", "Terminated", "Pending", "Running", "Suspended"])),
        new("a second start with a status that does not exist", async s => await Again(s, ended: true, ["Sleeping"])),
        new("a second start after a failure and after a termination", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
            {
                if (n == 1) throw new IOException("first");
                if (n == 2) await c.WaitForExternalEvent<string>("never");
                return n;
            });
            await s.StartAs("again", "Main", 1);
            await s.End("again", "failed");
            await s.Start("Main", 2, new StartOrchestrationOptions("again") { DedupeStatuses = Unended });
            await s.Until("again", OrchestrationRuntimeStatus.Running);
            await s.Try("terminate", c => c.TerminateInstanceAsync("again"));
            await s.End("again", "terminated");
            await s.Start("Main", 3, new StartOrchestrationOptions("again") { DedupeStatuses = Unended });
            await s.End("again", "completed");
        }),
        new("waiting for the start", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.WaitForExternalEvent<string>("go"));
            var id = await s.Start("Main", "input");
            var client = await s.ClientAsync();
            s.SayState(await client.WaitForInstanceStartAsync(id), "started");
            s.SayState(await client.WaitForInstanceStartAsync(id, true), "started, with inputs");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "x"));
            await s.End(id);
            s.SayState(await client.WaitForInstanceStartAsync(id, true), "after the end");
        }),
        new("waiting for the end of one that has ended, without and with outputs", async s =>
        {
            Simple(s);
            var id = await s.Start("Main", 1);
            await s.End(id);
            var client = await s.ClientAsync();
            s.SayState(await client.WaitForInstanceCompletionAsync(id), "without");
            s.SayState(await client.WaitForInstanceCompletionAsync(id, true), "with");
            s.SayState(await client.GetInstanceAsync(id), "get, without");
        }),
        new("waiting for one that is not there waits until it is cancelled", async s =>
        {
            Simple(s);
            using var soon = new CancellationTokenSource(300);
            await s.Try("completion", c => c.WaitForInstanceCompletionAsync("nobody", soon.Token));
            using var soon2 = new CancellationTokenSource(300);
            await s.Try("start", c => c.WaitForInstanceStartAsync("nobody", soon2.Token));
        },
        "On Azure the Functions host answers NotFound or waits, according to the backend."),
        new("several wait for one end", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.WaitForExternalEvent<string>("go"));
            var id = await s.Start("Main");
            var client = await s.ClientAsync();
            using var patience = new CancellationTokenSource(Stage.Patience);
            var waits = Enumerable.Range(0, 3).Select(_ => client.WaitForInstanceCompletionAsync(id, true, patience.Token)).ToArray();
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "x"));
            foreach (var end in await Task.WhenAll(waits)) s.SayState(end, "ended");
        }),
        new("tags and a version stay with the instance", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult($"version '{c.Version}'"));
            var tags = new Dictionary<string, string> { ["component"] = "postgres", ["kind"] = "full" };
            var id = await s.Start("Main", null, new StartOrchestrationOptions { Version = "1.2", Tags = tags });
            await s.End(id);
            var state = await (await s.ClientAsync()).GetInstanceAsync(id);
            s.Say(string.Join(' ', state!.Tags.OrderBy(t => t.Key, StringComparer.Ordinal).Select(t => $"{t.Key}={t.Value}")));
        }),
        new("without a version it is empty", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult($"version '{c.Version}'"));
            await s.Run("Main");
        }),
        new("an orchestrator that fails before its first await", async s =>
        {
            s.Orchestrator<int>("Main", _ => throw new InvalidOperationException("at once", new IOException("inside")));
            await s.Run("Main");
        }),
        new("an orchestrator that fails after an await", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await c.CallActivityAsync("Fine");
                return int.Parse("not a number", System.Globalization.CultureInfo.InvariantCulture);
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
        new("an orchestrator that returns nothing", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult<string?>(null));
            await s.Run("Main");
        }),
        new("ids of several characters", async s =>
        {
            Simple(s);
            foreach (var id in new[] { "backup-postgres-full-20261122T0200Z", "with space", "ümläut", "a:b", "A.b_c~d" })
            {
                await s.StartAs(id, "Main", 1);
                await s.End(id);
            }
        }),
        new("ids differ by case", async s =>
        {
            Simple(s);
            await s.StartAs("Same", "Main", 1);
            await s.End("Same");
            await s.Look("same", "in lower case");
        },
        "The in-memory service's ids are matched without regard to case; Azure Storage's partition keys with regard to it, as ours. " +
            "Never let ids differ by case only."),
    ];

    private static void Simple(Stage s) => s.Orchestrator("Main", (TaskOrchestrationContext c, int n) => Task.FromResult(n));

    private static async Task Again(Stage s, bool ended, string[]? statuses)
    {
        s.Orchestrator("Main", async (TaskOrchestrationContext c, int n) =>
        {
            c.SetCustomStatus($"run {n}");
            if (!ended && n == 1) await c.WaitForExternalEvent<string>("go");
            return n;
        });
        await s.StartAs("again", "Main", 1);
        if (ended) await s.End("again", "first");
        else await s.UntilStatus("again", "run 1");
        await s.Try("second start", c =>
            c.ScheduleNewOrchestrationInstanceAsync("Main", 2, new StartOrchestrationOptions("again") { DedupeStatuses = statuses }));
        await s.Until("again", m => m?.SerializedInput == "1" ? ended || m.IsRunning : m?.IsCompleted == true);
        await s.Look("again", "then");
    }
}
