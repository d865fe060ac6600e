using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>External events.</summary>
internal static class EventScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("an event that is awaited", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("waiting");
                return await c.WaitForExternalEvent<string>("go");
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "now"));
            await s.End(id);
        }),
        new("events that come early are kept, in order", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("busy");
                await c.WaitForExternalEvent<int>("begin");
                var got = new List<string>();
                for (var i = 0; i < 3; i++) got.Add(await c.WaitForExternalEvent<string>("item"));
                return got;
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "busy");
            foreach (var item in new[] { "a", "b", "c" }) await s.Try("raise", c => c.RaiseEventAsync(id, "item", item));
            await s.Try("begin", c => c.RaiseEventAsync(id, "begin", 1));
            await s.End(id);
        }),
        new("an event right after the start is kept", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.WaitForExternalEvent<string>("go"));
            var id = await s.Start("Main");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "early"));
            await s.End(id);
        }),
        new("of two waiters for a name the newest gets the event", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var older = c.WaitForExternalEvent<string>("go");
                var newer = c.WaitForExternalEvent<string>("go");
                c.SetCustomStatus("waiting");
                var first = await Task.WhenAny(older, newer);
                var which = first == older ? "older" : "newer";
                await Task.WhenAll(older, newer);
                return $"{which} first: older {await older}, newer {await newer}";
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "1"));
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "2"));
            await s.End(id);
        }),
        new("two waiters of different types for a name are refused", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var text = c.WaitForExternalEvent<string>("go");
                var number = c.WaitForExternalEvent<int>("go");
                return await text + await number;
            });
            await s.Run("Main");
        }),
        new("names of events are matched without regard to case", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("waiting");
                var one = await c.WaitForExternalEvent<string>("Go");
                return one + await c.WaitForExternalEvent<string>("OTHER");
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("raise", c => c.RaiseEventAsync(id, "other", "2"));
            await s.Try("raise", c => c.RaiseEventAsync(id, "gO", "1"));
            await s.End(id);
        }),
        new("payloads of events", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var none = await c.WaitForExternalEvent<string?>("none");
                var zero = await c.WaitForExternalEvent<int>("number");
                var record = await c.WaitForExternalEvent<Payload>("record");
                var missing = await c.WaitForExternalEvent<Payload?>("missing");
                return $"{none ?? "null"} {zero} {record} {missing?.ToString() ?? "null"}";
            });
            var id = await s.Start("Main");
            await s.Try("none", c => c.RaiseEventAsync(id, "none"));
            await s.Try("number", c => c.RaiseEventAsync(id, "number", 42));
            await s.Try("record", c => c.RaiseEventAsync(id, "record", new Payload("x", 3)));
            await s.Try("missing", c => c.RaiseEventAsync(id, "missing", null));
            await s.End(id);
        }),
        new("an event without payload where a number is awaited", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.WaitForExternalEvent<int>("number"));
            var id = await s.Start("Main");
            await s.Try("raise", c => c.RaiseEventAsync(id, "number"));
            await s.End(id);
        }),
        new("an event whose payload cannot be read fails the orchestration", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.WaitForExternalEvent<int>("number");
                }
                catch (Exception)
                {
                    return -1;
                }
            });
            var id = await s.Start("Main");
            await s.Try("raise", c => c.RaiseEventAsync(id, "number", "text"));
            await s.End(id);
        }),
        new("waiting ends after its time", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.WaitForExternalEvent<string>("never", TimeSpan.FromMilliseconds(50));
                }
                catch (OperationCanceledException e)
                {
                    return $"{e.GetType().Name}";
                }
            });
            await s.Run("Main");
        }),
        new("waiting with a time limit ends with the event", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("waiting");
                return await c.WaitForExternalEvent<string>("go", TimeSpan.FromHours(1));
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "in time"));
            await s.End(id);
        }),
        new("waiting that is cancelled", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                using var stop = new CancellationTokenSource();
                var waiting = c.WaitForExternalEvent<string>("go", stop.Token);
                await c.CallActivityAsync("Fine");
                stop.Cancel();
                try
                {
                    return await waiting;
                }
                catch (OperationCanceledException e)
                {
                    return $"{e.GetType().Name} cancelled={waiting.IsCanceled}";
                }
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
        new("an event goes to a waiter that was cancelled, if it is the newest", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var waiting = c.WaitForExternalEvent<string>("go");
                using var stop = new CancellationTokenSource();
                var cancelled = c.WaitForExternalEvent<string>("go", stop.Token);
                stop.Cancel();
                c.SetCustomStatus("waiting");
                var got = await waiting;
                return $"{got} cancelled={cancelled.IsCanceled}";
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "waiting");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "1"));
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "2"));
            await s.End(id);
        }),
        new("an event to an ended instance is dropped", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            var id = await s.Start("Main");
            await s.End(id);
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "late"));
            await s.Look(id);
        },
        "On Azure the Functions host refuses it: FailedPrecondition or NotFound, an RpcException to the caller."),
        new("an event to an unknown instance", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            await s.Try("raise", c => c.RaiseEventAsync("nobody", "go", "lost"));
            await s.Look("nobody");
        },
        "On Azure the Functions host answers NotFound, an RpcException to the caller."),
        new("calls without an id or a name are refused", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult("done"));
            await s.Try("raise without id", c => c.RaiseEventAsync("", "go"));
            await s.Try("raise without name", c => c.RaiseEventAsync("x", ""));
            await s.Try("terminate without id", c => c.TerminateInstanceAsync(""));
            await s.Try("suspend without id", c => c.SuspendInstanceAsync(""));
            await s.Try("resume without id", c => c.ResumeInstanceAsync(""));
            await s.Try("get without id", c => c.GetInstanceAsync(""));
            await s.Try("purge without id", c => c.PurgeInstanceAsync(""));
            await s.Try("rewind without id", c => c.RewindInstanceAsync("", "x"));
        }),
        new("a waiter in a loop with a timer, as in a monitor", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var seen = new List<string>();
                for (var round = 0; round < 3; round++)
                {
                    using var stop = new CancellationTokenSource();
                    c.SetCustomStatus($"round {round}");
                    var go = c.WaitForExternalEvent<string>("go");
                    var timer = c.CreateTimer(TimeSpan.FromMilliseconds(round == 1 ? 60_000 : 30), stop.Token);
                    seen.Add(await Task.WhenAny(go, timer) == go ? await go : "nothing");
                    stop.Cancel();
                }

                return seen;
            });
            var id = await s.Start("Main");
            await s.UntilStatus(id, "round 1");
            await s.Try("raise", c => c.RaiseEventAsync(id, "go", "news"));
            await s.End(id);
        }),
        new("thirty events at once are all seen", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var sum = 0;
                for (var i = 0; i < 30; i++) sum += await c.WaitForExternalEvent<int>("item");
                return sum;
            });
            var id = await s.Start("Main");
            var client = await s.ClientAsync();
            await Task.WhenAll(Enumerable.Range(0, 30).Select(i => client.RaiseEventAsync(id, "item", i)));
            await s.End(id);
        }),
    ];

    internal sealed record Payload(string Name, int Count);
}
