using FsCheck;
using FsCheck.Fluent;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>Random orchestrations come to the same result with and without restarts and evictions in between.</summary>
public sealed class PropertyTests
{
    [Fact]
    public void Restarts_change_no_result() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(25), Prop.ForAll(Arb.From(Programs), program => RunAsync(program).GetAwaiter().GetResult()));

    private static Gen<Step> StepOfDepth(int depth)
    {
        var leaf = Gen.OneOf(
            Gen.Choose(1, 99).Select(i => new Step("activity", i)), Gen.Choose(0, 3).Select(i => new Step("timer", i)),
            Gen.Choose(1, 99).Select(i => new Step("event", i)), Gen.Choose(1, 3).Select(i => new Step("flaky", i)),
            Gen.Constant(new Step("guid", 0)), Gen.Choose(1, 9).Select(i => new Step("race", i)));
        if (depth == 0) return leaf;
        var inner = StepOfDepth(depth - 1).ListOf().Where(l => l.Count is > 0 and < 5).Select(l => l.ToArray());
        return Gen.Frequency(
            (5, leaf), (1, inner.Select(steps => new Step("sub", 0, steps))), (2, inner.Select(steps => new Step("all", 0, steps))));
    }

    private static Gen<Program> Programs =>
        from steps in StepOfDepth(2).ListOf().Where(l => l.Count is > 0 and < 7)
        from restarts in Gen.Choose(0, 4).ListOf().Where(l => l.Count < 5)
        select new Program([.. steps], [.. restarts]);

    private static async Task<bool> RunAsync(Program program)
    {
        var without = await ResultAsync(program with { Restarts = [] });
        var with = await ResultAsync(program);
        with.ShouldBe(without);
        return true;
    }

    private static async Task<string> ResultAsync(Program program)
    {
        var attempts = new Dictionary<string, int>();
        await using var fixture = await new EngineFixture { MaxLive = 2 }
            .Orchestrator("Interpret", async context =>
            {
                var results = new List<string>();
                foreach (var step in context.GetInput<Step[]>()!) results.Add(await InterpretAsync(context, step));
                return string.Join(",", results);
            })
            .Orchestrator("Same", context => Task.FromResult(context.GetInput<Guid>()))
            .Activity<int, int>("Double", i => 2 * i)
            .ActivityAsync("Flaky", call =>
            {
                // Fails as often as its input says, for each call.
                lock (attempts)
                {
                    var key = call.GetInput<string>()!;
                    var attempt = attempts[key] = attempts.GetValueOrDefault(key) + 1;
                    return attempt < int.Parse(key.Split(' ')[0]) ? throw new InvalidOperationException() : Task.FromResult<object?>(7);
                }
            }).StartAsync();
        var options = new StartOrchestrationOptions("program");
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Interpret", program.Steps, options);
        foreach (var pause in program.Restarts)
        {
            await Task.Delay(pause * 3);
            await fixture.RestartAsync();
        }

        var ended = await fixture.EndOfAsync(id);
        ended.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed, ended.FailureDetails?.ToString());
        return ended.ReadOutputAs<string>()!;
    }

    private static async Task<string> InterpretAsync(TaskOrchestrationContext context, Step step)
    {
        switch (step.Kind)
        {
            case "activity":
                return $"{await context.CallActivityAsync<int>("Double", step.Number)}";
            case "timer":
                await context.CreateTimer(TimeSpan.FromMilliseconds(step.Number), CancellationToken.None);
                return "t";
            case "event":
                // From itself: it must come once.
                var name = $"e{context.NewGuid()}";
                context.SendEvent(context.InstanceId, name, step.Number);
                return $"e{await context.WaitForExternalEvent<int>(name)}";
            case "flaky":
                return $"f{await context.CallActivityAsync<int>("Flaky", $"{step.Number} {context.NewGuid()}", TaskOptions.FromRetryPolicy(
                    new(10, TimeSpan.FromMilliseconds(1))))}";
            case "guid":
                var guid = context.NewGuid();
                await context.CallActivityAsync<int>("Double", 1);
                return guid == await context.CallSubOrchestratorAsync<Guid>("Same", guid) ? "same" : "different";
            case "race":
                using (var stop = new CancellationTokenSource())
                {
                    var timer = context.CreateTimer(TimeSpan.FromDays(step.Number), stop.Token);
                    var won = await Task.WhenAny(timer, context.CallActivityAsync<int>("Double", step.Number)) != timer;
                    stop.Cancel();
                    return $"{won}";
                }

            case "all":
                return $"[{string.Join("|", await Task.WhenAll(step.Steps!.Select(s => InterpretAsync(context, s))))}]";
            default:
                return $"({await context.CallSubOrchestratorAsync<string>("Interpret", step.Steps)})";
        }
    }

    public sealed record Step(string Kind, int Number, Step[]? Steps = null);

    public sealed record Program(Step[] Steps, int[] Restarts)
    {
        public override string ToString() => System.Text.Json.JsonSerializer.Serialize(this);
    }
}
