using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>Start, activities, timers, completion.</summary>
public sealed class BasicTests
{
    [Fact]
    public async Task Activities_are_called_and_their_results_come_back()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Greet", async context =>
            {
                var names = context.GetInput<string[]>()!;
                var greetings = new List<string>();
                foreach (var name in names) greetings.Add(await context.CallActivityAsync<string>("Hello", name));
                return greetings;
            })
            .Activity<string, string>("Hello", name => $"Hello {name}").StartAsync();
        var ended = await fixture.RunAsync("greet", new[] { "Ada", "Bob" }, "greeting-1");
        ended.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed);
        ended.InstanceId.ShouldBe("greeting-1");
        ended.ReadOutputAs<string[]>().ShouldBe(["Hello Ada", "Hello Bob"]);
    }

    [Fact]
    public async Task Fan_out_and_fan_in()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Sum", async context =>
            {
                var calls = Enumerable.Range(1, 500).Select(i => context.CallActivityAsync<int>("Square", i));
                return (await Task.WhenAll(calls)).Sum();
            })
            .Activity<int, int>("Square", i => i * i).StartAsync();
        (await fixture.RunAsync("Sum")).ReadOutputAs<int>().ShouldBe(Enumerable.Range(1, 500).Sum(i => i * i));
    }

    [Fact]
    public async Task Timers_of_days_fire_when_they_are_due_also_after_a_restart()
    {
        var clock = new ManualTime();
        await using var fixture = await new EngineFixture { Clock = clock }
            .Orchestrator("Sleep", async context =>
            {
                var began = context.CurrentUtcDateTime;
                context.SetCustomStatus("sleeping");
                await context.CreateTimer(TimeSpan.FromDays(40), CancellationToken.None);
                return context.CurrentUtcDateTime - began;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Sleep");
        await fixture.UntilStatusIsAsync(id, "sleeping");
        clock.Advance(TimeSpan.FromDays(39));
        await fixture.RestartAsync();
        (await fixture.Client.GetInstanceAsync(id))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Running);
        clock.Advance(TimeSpan.FromDays(1));
        (await fixture.EndOfAsync(id)).ReadOutputAs<TimeSpan>().ShouldBe(TimeSpan.FromDays(40));
    }

    [Fact]
    public async Task A_failed_activity_is_thrown_into_the_orchestrator_and_fails_it_if_not_caught()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Try", async context =>
            {
                try
                {
                    await context.CallActivityAsync("Break", "it");
                    return "no failure";
                }
                catch (TaskFailedException e) when (context.GetInput<bool>())
                {
                    return $"{e.TaskName}: {e.FailureDetails.ErrorMessage} {e.FailureDetails.IsCausedBy<IOException>()}";
                }
            })
            .Activity<string, string>("Break", what => throw new FileNotFoundException($"{what} is broken")).StartAsync();
        (await fixture.RunAsync("Try", true)).ReadOutputAs<string>().ShouldBe("Break: it is broken True");
        var failed = await fixture.RunAsync("Try", false);
        failed.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        failed.FailureDetails!.ErrorType.ShouldBe(typeof(TaskFailedException).FullName);
        failed.FailureDetails.InnerFailure!.ErrorMessage.ShouldBe("it is broken");
        failed.SerializedOutput.ShouldBeNull();
    }

    [Fact]
    public async Task What_an_orchestrator_had_done_is_not_done_again_after_a_restart()
    {
        var runs = new List<string>();
        await using var fixture = await new EngineFixture()
            .Orchestrator("Two steps", async context =>
            {
                var first = await context.CallActivityAsync<string>("Step", "one");
                context.SetCustomStatus("between");
                var answer = await context.WaitForExternalEvent<string>("Go on");
                return $"{first} {await context.CallActivityAsync<string>("Step", "two")} {answer}";
            })
            .Activity<string, string>("Step", step =>
            {
                lock (runs) runs.Add(step);
                return step.ToUpperInvariant();
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Two steps");
        await fixture.UntilStatusIsAsync(id, "between");
        await fixture.RestartAsync();
        await fixture.Client.RaiseEventAsync(id, "go on", "now");
        (await fixture.EndOfAsync(id)).ReadOutputAs<string>().ShouldBe("ONE TWO now");
        runs.ShouldBe(["one", "two"]);
    }
}
