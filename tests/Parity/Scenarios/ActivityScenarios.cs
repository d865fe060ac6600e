using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Calls of activities and what comes back from them.</summary>
internal static class ActivityScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("an activity's result is the call's", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c, int x) => await c.CallActivityAsync<int>("Double", x));
            s.Activity("Double", (int x) => x * 2);
            await s.Run("Main", 21);
        }),
        new("activities one after the other run once each", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallActivityAsync<string>("Add",
                    await c.CallActivityAsync<string>("Add", await c.CallActivityAsync<string>("Add", "a"))));
            s.Activity("Add", (string x) =>
            {
                s.Say($"adds to {x}");
                return x + "b";
            });
            await s.Run("Main");
        }),
        new("an activity's result may be ignored", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await c.CallActivityAsync("Number");
                await c.CallActivityAsync("Nothing");
                return await c.CallActivityAsync<string?>("Nothing") ?? "null";
            });
            s.Activity("Number", (string? x) => x is null ? 1 : 2);
            s.Activity("Nothing", (string? _) => (string?)null);
            await s.Run("Main");
        }),
        new("names of orchestrators and activities are matched without regard to case", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => $"{c.Name.Name} {await c.CallActivityAsync<int>("aCTIVITY")}");
            s.Activity("Activity", (string? _) => 7);
            await s.Run("mAIN");
        }),
        new("an activity's failure reaches the orchestrator as a TaskFailedException", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    await c.CallActivityAsync("Fail", 5);
                    return "no failure";
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e);
                }
            });
            s.Activity<int, int>("Fail", x => throw new InvalidOperationException($"boom {x}"));
            await s.Run("Main");
        }),
        new("an exception inside an exception is an inner failure", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    await c.CallActivityAsync("Fail");
                    return "no failure";
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e.FailureDetails);
                }
            });
            s.Activity<string?, int>("Fail", _ => throw new InvalidOperationException(
                "outer", new ArgumentException("middle", new IOException("inner"))));
            await s.Run("Main");
        }),
        new("an activity's failure that nobody catches fails the orchestration", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.CallActivityAsync<int>("Fail"));
            s.Activity<string?, int>("Fail", _ => throw new InvalidOperationException("boom", new IOException("disk")));
            await s.Run("Main");
        }),
        new("an aggregate exception keeps its first inner one", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.CallActivityAsync<int>("Fail"));
            s.Activity<string?, int>("Fail", _ => throw new AggregateException("many", new IOException("one"), new IOException("two")));
            await s.Run("Main");
        }),
        new("a failure knows by which exceptions it was caused", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var results = new List<string>();
                foreach (var kind in new[] { "argument", "own", "cancelled" })
                {
                    try
                    {
                        await c.CallActivityAsync("Fail", kind);
                    }
                    catch (TaskFailedException e)
                    {
                        var f = e.FailureDetails;
                        results.Add($"{kind}: {f.ErrorType} Exception={f.IsCausedBy<Exception>()} " +
                            $"ArgumentException={f.IsCausedBy<ArgumentException>()} " +
                            $"ArgumentNullException={f.IsCausedBy<ArgumentNullException>()} IOException={f.IsCausedBy<IOException>()} " +
                            $"OwnException={f.IsCausedBy<OwnException>()} " +
                            $"OperationCanceledException={f.IsCausedBy<OperationCanceledException>()}");
                    }
                }

                return results;
            });
            s.Activity<string, int>("Fail", kind => throw (kind switch
            {
                "argument" => new ArgumentNullException("x", "nothing there"),
                "own" => new OwnException("ours"),
                _ => new TaskCanceledException("stopped"),
            }));
            await s.Run("Main");
        }),
        new("a failure asked for a type that is no exception refuses", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<string>("Fail");
                }
                catch (TaskFailedException e)
                {
                    return e.FailureDetails.IsCausedBy(typeof(string)).ToString();
                }
            });
            s.Activity<string?, string>("Fail", _ => throw new IOException("x"));
            await s.Run("Main");
        }),
        new("an unknown activity fails the call", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<string>("Missing");
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e);
                }
            });
            await s.Run("Main");
        }),
        new("an unknown activity is not tried again", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<string>("Missing", options: TaskOptions.FromRetryHandler(r =>
                    {
                        s.Count("asked");
                        return r.LastAttemptNumber < 3;
                    }));
                }
                catch (Exception e)
                {
                    return $"{e.GetType().Name} asked {s.CountOf("asked")}";
                }
            });
            await s.Run("Main");
        }),
        new("options in the place of the input are refused", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallActivityAsync<int>("Double", (object)new TaskOptions(new RetryPolicy(2, TimeSpan.FromMilliseconds(10)))));
            s.Activity("Double", (int x) => x * 2);
            await s.Run("Main");
        }),
        new("an input that the activity cannot read fails the call", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<int>("Double", "not a number");
                }
                catch (TaskFailedException e)
                {
                    s.Say(e.FailureDetails.ErrorType);
                    return -1;
                }
            });
            s.Activity("Double", (int x) => x * 2);
            await s.Run("Main");
        }),
        new("a result that the orchestrator cannot read fails it there", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<int>("Text");
                }
                catch (Exception e)
                {
                    s.Count(e.GetType().Name);
                    return -1;
                }
            });
            s.Activity("Text", (string? _) => "not a number");
            await s.Run("Main");
            s.SayCounts();
        }),
        new("arrays go in and come out whole", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                (int[])[
                    .. await c.CallActivityAsync<int[]>("Reverse", new[] { 1, 2, 3 }),
                    .. await c.CallActivityAsync<int[]>("Reverse", Array.Empty<int>()),
                ]);
            s.Activity("Reverse", (int[] x) => x.Reverse().ToArray());
            await s.Run("Main");
        }),
        new("a missing input of a value type is its default", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallActivityAsync<string>("Show");
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e.FailureDetails);
                }
            });
            s.Activity("Show", (int x) => $"got {x}");
            await s.Run("Main");
        }),
    ];

    internal sealed class OwnException(string message) : Exception(message);
}
