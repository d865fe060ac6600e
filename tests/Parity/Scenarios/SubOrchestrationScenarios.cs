using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Orchestrations that orchestrations call.</summary>
internal static class SubOrchestrationScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("a sub-orchestration's result, its own id and its parent", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.CallSubOrchestratorAsync<string>("Child", 3));
            s.Orchestrator("Child", (TaskOrchestrationContext c, int x) =>
                Task.FromResult($"{x} {c.InstanceId} of {c.Parent?.Name.Name} {c.Parent?.InstanceId}"));
            await s.StartAs("the-parent", "Main");
            await s.End("the-parent");
        }),
        new("an orchestration that nobody called has no parent", async s =>
        {
            s.Orchestrator("Main", (TaskOrchestrationContext c) => Task.FromResult(c.Parent is null));
            await s.Run("Main");
        }),
        new("a sub-orchestration's id that was given", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallSubOrchestratorAsync<string>("Child", 3, new SubOrchestrationOptions(instanceId: "given-child")));
            s.Orchestrator("Child", (TaskOrchestrationContext c, int x) => Task.FromResult(c.InstanceId));
            await s.Run("Main");
            await s.Look("given-child", "child");
        }),
        new("a sub-orchestration's failure", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallSubOrchestratorAsync<string>("Child");
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e);
                }
            });
            s.Orchestrator<string>("Child", _ => throw new InvalidOperationException("child failed", new IOException("disk")));
            await s.Run("Main");
        }),
        new("a failure two levels down", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.CallSubOrchestratorAsync<string>("Child"));
            s.Orchestrator("Child", async (TaskOrchestrationContext c) => await c.CallActivityAsync<string>("Fail"));
            s.Activity<string?, string>("Fail", _ => throw new InvalidOperationException("deep", new IOException("deeper")));
            await s.Run("Main");
        }),
        new("an unknown sub-orchestrator", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallSubOrchestratorAsync<string>("Missing");
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e);
                }
            });
            await s.Run("Main");
        }),
        new("sub-orchestrations side by side", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await Task.WhenAll(Enumerable.Range(0, 6).Select(i => c.CallSubOrchestratorAsync<int>("Child", i))));
            s.Orchestrator("Child", async (TaskOrchestrationContext c, int x) => await c.CallActivityAsync<int>("Square", x));
            s.Activity("Square", (int x) => x * x);
            await s.Run("Main");
        }),
        new("a sub-orchestration that is terminated from outside fails the call", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallSubOrchestratorAsync<string>("Child", null,
                        new SubOrchestrationOptions(instanceId: "stopped-child"));
                }
                catch (TaskFailedException e)
                {
                    return Stage.Describe(e);
                }
            });
            s.Orchestrator("Child", async (TaskOrchestrationContext c) =>
            {
                c.SetCustomStatus("waiting");
                return await c.WaitForExternalEvent<string>("never");
            });
            var id = await s.Start("Main");
            await s.UntilStatus("stopped-child", "waiting");
            await s.Try("terminate", c => c.TerminateInstanceAsync("stopped-child", "enough"));
            await s.End(id);
            await s.Look("stopped-child", "child");
        }),
        new("a sub-orchestration that continues as new answers at its end", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) => await c.CallSubOrchestratorAsync<string>("Child", 0));
            s.Orchestrator("Child", async (TaskOrchestrationContext c, int n) =>
            {
                await c.CallActivityAsync("Tick");
                if (n < 3)
                {
                    c.ContinueAsNew(n + 1);
                    return "not yet";
                }

                return $"round {n} parent {c.Parent?.Name.Name}";
            });
            s.Activity("Tick", (string? _) => s.Count("ticks"));
            await s.Run("Main");
            s.SayCounts();
        }),
        new("events between orchestrations", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var child = c.CallSubOrchestratorAsync<string>("Child", c.InstanceId,
                    new SubOrchestrationOptions(instanceId: "speaking-child"));
                var question = await c.WaitForExternalEvent<string>("question");
                c.SendEvent("speaking-child", "answer", question + "!");
                return await child;
            });
            s.Orchestrator("Child", async (TaskOrchestrationContext c, string parent) =>
            {
                c.SendEvent(parent, "question", "well?");
                return "heard " + await c.WaitForExternalEvent<string>("answer");
            });
            await s.Run("Main");
        }),
        new("an event to an instance that is not there does no harm", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                c.SendEvent("nobody", "hello", 1);
                await c.CreateTimer(TimeSpan.FromMilliseconds(20), CancellationToken.None);
                return "sent";
            });
            await s.Run("Main");
        }),
        new("a sub-orchestration under the id of a running instance", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    return await c.CallSubOrchestratorAsync<string>("Child", null, new SubOrchestrationOptions(instanceId: "taken"));
                }
                catch (TaskFailedException e)
                {
                    return e.FailureDetails.ErrorType;
                }
            });
            s.Orchestrator("Child", async (TaskOrchestrationContext c) =>
                c.Parent is null ? await c.WaitForExternalEvent<string>("go") : "as a child");
            await s.StartAs("taken", "Child");
            await s.Until("taken", OrchestrationRuntimeStatus.Running);
            await s.Run("Main");
            await s.Look("taken", "the instance that was there");
        },
        "The in-memory service replaces the running instance; Azure Storage's backend drops the start message as a duplicate and the " +
            "parent waits for ever. Never reuse ids of running instances."),
        new("a sub-orchestration under the id of an ended instance runs anew", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallSubOrchestratorAsync<string>("Child", null, new SubOrchestrationOptions(instanceId: "used")));
            s.Orchestrator("Child", (TaskOrchestrationContext c) => Task.FromResult(c.Parent is null ? "alone" : "as a child"));
            await s.StartAs("used", "Child");
            await s.End("used", "alone");
            await s.Run("Main");
            await s.Look("used", "child");
        }),
    ];
}
