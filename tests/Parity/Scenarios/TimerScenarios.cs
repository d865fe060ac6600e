using Microsoft.DurableTask;

namespace FunctionsBackup.Tests.Parity.Scenarios;

/// <summary>Durable timers and the orchestrator's clock.</summary>
internal static class TimerScenarios
{
    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("a timer fires, not before its time", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var due = c.CurrentUtcDateTime.AddMilliseconds(200);
                await c.CreateTimer(due, CancellationToken.None);
                return c.CurrentUtcDateTime >= due.AddMilliseconds(-20);
            });
            await s.Run("Main");
        }),
        new("timers of zero and of the past fire at once", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await c.CreateTimer(TimeSpan.Zero, CancellationToken.None);
                await c.CreateTimer(TimeSpan.FromHours(-1), CancellationToken.None);
                await c.CreateTimer(c.CurrentUtcDateTime.AddDays(-1), CancellationToken.None);
                return "done";
            });
            await s.Run("Main");
        }),
        new("several timers fire in the order of their times", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var order = new List<int>();
                await Task.WhenAll(new[] { 300, 100, 200 }.Select(async n =>
                {
                    await c.CreateTimer(TimeSpan.FromMilliseconds(n), CancellationToken.None);
                    order.Add(n);
                }));
                return order;
            });
            await s.Run("Main");
        }),
        new("a cancelled timer is a cancelled task", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                using var stop = new CancellationTokenSource();
                var timer = c.CreateTimer(TimeSpan.FromHours(5), stop.Token);
                await c.CallActivityAsync("Fine");
                stop.Cancel();
                try
                {
                    await timer;
                    return "fired";
                }
                catch (OperationCanceledException e)
                {
                    return $"{e.GetType().Name} cancelled={timer.IsCanceled}";
                }
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
        new("a timer whose token is cancelled beforehand", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                try
                {
                    await c.CreateTimer(TimeSpan.FromHours(5), new CancellationToken(true));
                    return "fired";
                }
                catch (OperationCanceledException e)
                {
                    return e.GetType().Name;
                }
            });
            await s.Run("Main");
        }),
        new("a long timer that is cancelled does not keep the orchestration", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                using var stop = new CancellationTokenSource();
                var timer = c.CreateTimer(TimeSpan.FromDays(30), stop.Token);
                var work = c.CallActivityAsync<int>("Fine");
                var first = await Task.WhenAny(timer, work);
                if (first == work) stop.Cancel();
                return first == work ? "work" : "timer";
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
        new("numbers of tasks count a long timer's parts", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                using var stop = new CancellationTokenSource();
                _ = c.CreateTimer(TimeSpan.FromDays(10), stop.Token);
                try
                {
                    return await c.CallActivityAsync<string>("Fail");
                }
                catch (TaskFailedException e)
                {
                    stop.Cancel();
                    return $"#{e.TaskId}";
                }
            });
            s.Activity<string?, string>("Fail", _ => throw new IOException("x"));
            await s.Run("Main");
        }),
        new("time stands still between awaits and never goes back", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var times = new List<DateTime> { c.CurrentUtcDateTime };
                Thread.SpinWait(100_000);
                times.Add(c.CurrentUtcDateTime);
                await c.CallActivityAsync("Fine");
                times.Add(c.CurrentUtcDateTime);
                await c.CreateTimer(TimeSpan.FromMilliseconds(60), CancellationToken.None);
                times.Add(c.CurrentUtcDateTime);
                return $"{times[0] == times[1]} {times[2] > times[1]} {times[3] > times[2]} {times[0].Kind}";
            });
            s.Activity("Fine", async (string? _) =>
            {
                await Task.Delay(30);
                return 1;
            });
            await s.Run("Main");
        }),
        new("time is the same in a replay", async s =>
        {
            var first = string.Empty;
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                var now = c.CurrentUtcDateTime.ToString("O");
                if (!c.IsReplaying) first = now;
                await c.CallActivityAsync("Fine");
                await c.CreateTimer(TimeSpan.FromMilliseconds(30), CancellationToken.None);
                return now == first;
            });
            s.Activity("Fine", (string? _) => 1);
            await s.Run("Main");
        }),
        new("a local time is taken as such", async s =>
        {
            s.Orchestrator("Main", async (TaskOrchestrationContext c) =>
            {
                await c.CreateTimer(c.CurrentUtcDateTime.ToLocalTime().AddMilliseconds(20), CancellationToken.None);
                return "fired";
            });
            await s.Run("Main");
        }),
    ];
}
