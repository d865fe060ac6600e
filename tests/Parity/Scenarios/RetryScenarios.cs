using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Retry policies and retry handlers.</summary>
internal static class RetryScenarios
{
    private static readonly TimeSpan Short = TimeSpan.FromMilliseconds(20);

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("a policy tries again until it goes well", async s => await Policy(s, new RetryPolicy(5, Short), failures: 2)),
        new("a policy gives up after its number of attempts", async s => await Policy(s, new RetryPolicy(3, Short), failures: 9)),
        new("a policy of one attempt does not try again", async s => await Policy(s, new RetryPolicy(1, Short), failures: 9)),
        new("a policy's filter ends the attempts", async s => await Policy(
            s, new RetryPolicy(5, Short) { HandleFailure = f => f.ErrorMessage != "attempt 2" }, failures: 9)),
        new("a policy's filter sees the failure", async s => await Policy(
            s, new RetryPolicy(5, Short)
            {
                HandleFailure = f => f.IsCausedBy<IOException>() && f.InnerFailure is null && f.ErrorMessage.Length > 0,
            },
            failures: 2)),
        new("a policy's filter that fails", async s => await Policy(
            s, new RetryPolicy(5, Short) { HandleFailure = _ => throw new NotSupportedException("the filter failed") }, failures: 9)),
        new("a policy waits longer each time, at most its maximum", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var options = TaskOptions.FromRetryPolicy(new RetryPolicy(5, TimeSpan.FromMilliseconds(100), 2,
                    TimeSpan.FromMilliseconds(300)));
                try
                {
                    await c.CallActivityAsync("Fail", options: options);
                }
                catch (TaskFailedException)
                {
                    s.Count("failed");
                }

                return "done";
            });
            var clock = System.Diagnostics.Stopwatch.StartNew();
            var times = new List<double>();
            s.Activity<string?, int>("Fail", _ =>
            {
                lock (times) times.Add(clock.Elapsed.TotalMilliseconds);
                throw new IOException("again");
            });
            await s.Run("Main");
            // 100, 200, 300, 300: never shorter than asked (a timer may fire late, not early).
            foreach (var (i, least) in new[] { 100, 200, 300, 300 }.Index())
                s.Say($"wait {i + 1} at least {least} ms: {times[i + 1] - times[i] >= least - 20}");
        }),
        new("a policy's timeout ends the attempts", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var options = TaskOptions.FromRetryPolicy(new RetryPolicy(100, TimeSpan.FromSeconds(2),
                    retryTimeout: TimeSpan.FromSeconds(2)));
                return await c.CallActivityAsync<string>("Fail", options: options);
            });
            s.Activity<string?, int>("Fail", _ => throw new IOException($"attempt {(s.Count("attempts") < 5 ? "few" : "many")}"));
            await s.Run("Main");
        }),
        new("a policy that makes no sense is refused", s =>
        {
            Refused("attempts 0", () => new RetryPolicy(0, Short));
            Refused("interval 0", () => new RetryPolicy(1, TimeSpan.Zero));
            Refused("coefficient 0.5", () => new RetryPolicy(1, Short, 0.5));
            Refused("maximum below the first", () => new RetryPolicy(1, Short, 1, TimeSpan.FromMilliseconds(1)));
            Refused("timeout below the first", () => new RetryPolicy(1, Short, 1, null, TimeSpan.FromMilliseconds(1)));
            Refused("infinite", () => new RetryPolicy(1, Short, 1, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan));
            var policy = new RetryPolicy(3, Short);
            s.Say($"by default: coefficient {policy.BackoffCoefficient}, maximum {policy.MaxRetryInterval}, timeout {policy.RetryTimeout}");
            return Task.CompletedTask;

            void Refused(string what, Func<RetryPolicy> make)
            {
                try
                {
                    make();
                    s.Say($"{what}: fine");
                }
                catch (Exception e)
                {
                    s.Say($"{what}: {e.GetType().Name} {(e as ArgumentException)?.ParamName}");
                }
            }
        }),
        new("a handler decides by the attempt's number and its failure", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var options = TaskOptions.FromRetryHandler(r =>
                {
                    if (!r.OrchestrationContext.IsReplaying)
                        s.Say($"attempt {r.LastAttemptNumber}: {Stage.Describe(r.LastFailure)} ≥ 0: {r.TotalRetryTime >= TimeSpan.Zero}");
                    return r.LastAttemptNumber < 3;
                });
                return await c.CallActivityAsync<int>("Fail", 1, options);
            });
            s.Activity<int, int>("Fail", _ => throw new IOException("again", new TimeoutException("late")));
            await s.Run("Main");
        }),
        new("a handler may wait with a timer", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var options = TaskOptions.FromRetryHandler(async r =>
                {
                    await r.OrchestrationContext.CreateTimer(TimeSpan.FromMilliseconds(50), CancellationToken.None);
                    if (!r.OrchestrationContext.IsReplaying)
                        s.Say($"after attempt {r.LastAttemptNumber}: waited {r.TotalRetryTime.TotalMilliseconds < 5000}");
                    return true;
                });
                return await c.CallActivityAsync<int>("Fail", 1, options);
            });
            s.Activity<int, int>("Fail", _ => s.Count("attempts") < 3 ? throw new IOException("again") : 3);
            await s.Run("Main");
            s.SayCounts();
        }),
        new("a handler that fails", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallActivityAsync<int>("Fail", 1,
                    TaskOptions.FromRetryHandler(new RetryHandler(_ => throw new NotSupportedException("the handler failed")))));
            s.Activity<int, int>("Fail", _ => throw new IOException("again"));
            await s.Run("Main");
        }),
        new("a handler's retries of a sub-orchestration", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallSubOrchestratorAsync<int>("Child", 1, TaskOptions.FromRetryHandler(r =>
                {
                    if (!r.OrchestrationContext.IsReplaying) s.Say($"attempt {r.LastAttemptNumber}: {Stage.Describe(r.LastFailure)}");
                    return r.LastAttemptNumber < 3;
                })));
            s.Orchestrator<int, int>("Child", (_, _) => throw new IOException($"child"));
            await s.Run("Main");
        }),
        new("a policy's retries of a sub-orchestration use its id again", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
                await c.CallSubOrchestratorAsync<string>("Child", 1,
                    TaskOptions.FromRetryPolicy(new RetryPolicy(3, Short)).WithInstanceId("retried-child")));
            s.Orchestrator<int, string>("Child", async (c, _) =>
            {
                if (!c.IsReplaying) s.Say($"child {c.InstanceId}");
                return await c.CallActivityAsync<string>("Fail");
            });
            s.Activity<string?, string>("Fail", _ => s.Count("attempts") < 3 ? throw new IOException("again") : "well");
            await s.Run("Main");
            await s.Look("retried-child", "child");
        }),
    ];

    private static async Task Policy(Stage s, RetryPolicy policy, int failures)
    {
        s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
        {
            try
            {
                return await c.CallActivityAsync<string>("Fail", options: TaskOptions.FromRetryPolicy(policy));
            }
            catch (TaskFailedException e)
            {
                return Stage.Describe(e);
            }
        });
        s.Activity<string?, string>("Fail", _ =>
        {
            var n = s.Count("attempts");
            return n <= failures ? throw new IOException($"attempt {n}") : $"attempt {n} went well";
        });
        await s.Run("Main");
        s.SayCounts();
    }
}
