using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.SelfHosting.Engine.Replay;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>What orchestrators must not do, and what makes them repeatable.</summary>
public sealed class DeterminismTests
{
    [Fact]
    public async Task Time_and_ids_are_the_same_in_every_replay_and_loggers_speak_once()
    {
        var log = new ListLoggers();
        await using var fixture = await new EngineFixture { Loggers = log }
            .Orchestrator("Repeat", async context =>
            {
                var logger = context.CreateReplaySafeLogger("test");
                var seen = new List<string> { $"{context.CurrentUtcDateTime:O} {context.NewGuid()} {context.NewGuid()}" };
                ListLoggers.Say(logger, "before");
                context.SetCustomStatus("waiting");
                var first = await context.CallActivityAsync<string>("Keep", seen[0]);
                await context.WaitForExternalEvent<object?>("it");
                ListLoggers.Say(logger, "after");
                return new[] { first, seen[0], $"{context.IsReplaying}" };
            })
            .Activity<string, string>("Keep", s => s).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Repeat");
        await fixture.UntilStatusIsAsync(id, "waiting");
        await fixture.RestartAsync();
        await fixture.RestartAsync();
        await fixture.Client.RaiseEventAsync(id, "it");
        var output = (await fixture.EndOfAsync(id)).ReadOutputAs<string[]>()!;
        output[0].ShouldBe(output[1]);
        output[2].ShouldBe("False");
        log.Lines.Where(l => l is "before" or "after").ShouldBe(["before", "after"]);
    }

    [Fact]
    public async Task Changed_code_fails_the_instance_at_the_first_step_that_differs()
    {
        await using var fixture = new EngineFixture();
        fixture.Orchestrator("Change", async context =>
        {
            await context.CallActivityAsync("A");
            await context.CallActivityAsync("B");
            context.SetCustomStatus("waiting");
            await context.WaitForExternalEvent<int>("it");
            return 1;
        });
        AddActivities(fixture);
        await fixture.StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Change");
        await fixture.UntilStatusIsAsync(id, "waiting");
        await fixture.CloseAsync();
        fixture.Registry = new();
        fixture.Orchestrator("Change", async context =>
        {
            await context.CallActivityAsync("A");
            await context.CallActivityAsync("C");
            return 1;
        });
        AddActivities(fixture);
        await fixture.StartAsync();
        await fixture.Client.RaiseEventAsync(id, "it", 1);
        var failed = await fixture.EndOfAsync(id);
        failed.FailureDetails!.ErrorType.ShouldBe(typeof(NonDeterministicOrchestrationException).FullName);
        failed.FailureDetails.ErrorMessage.ShouldContain(
            "in step 6 that has a call of the activity 'B' (#1), the code did a call of the activity 'C' (#1)");
    }

    public static TheoryData<string> Offences => ["delay first", "delay after", "thread", "configure", "beside"];

    [Theory]
    [MemberData(nameof(Offences))]
    public async Task Awaiting_what_is_not_durable_fails_the_instance_and_names_it(string offence)
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Offend", async context =>
            {
                switch (offence)
                {
                    case "delay first":
                        await Task.Delay(500);
                        break;
                    case "delay after":
                        await context.CallActivityAsync("A");
                        await Task.Delay(500);
                        break;
                    case "thread":
                        await Task.Run(() => context.CallActivityAsync("A"));
                        break;
                    case "configure":
                        await context.CallActivityAsync("A").ConfigureAwait(false);
                        await context.CallActivityAsync("B");
                        break;
                    case "beside":
                        var never = context.WaitForExternalEvent<int>("never");
                        await Task.WhenAny(never, Task.Delay(500));
                        break;
                }

                return 1;
            })
            .Activity<string, int>("A", _ => 1).Activity<string, int>("B", _ => 1).StartAsync();
        var failed = await fixture.RunAsync("Offend");
        failed.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        failed.FailureDetails!.ErrorMessage.ShouldStartWith("The orchestrator 'Offend' left its turn");
        failed.FailureDetails.ErrorMessage.ShouldContain("is no durable task");
    }

    [Fact]
    public async Task Large_inputs_results_and_statuses_are_refused_in_a_sentence()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Large input", context => context.CallActivityAsync<int>("Size", new string('x', 300_000)))
            .Orchestrator("Large result", context => context.CallActivityAsync<string>("Make", 300_000))
            .Orchestrator("Large status", context =>
            {
                context.SetCustomStatus(new string('x', 20_000));
                return Task.FromResult(1);
            })
            .Activity<string, int>("Size", s => s.Length).Activity<int, string>("Make", n => new string('x', n)).StartAsync();
        async Task<string> FailureOfAsync(string name) => (await fixture.RunAsync(name)).FailureDetails!.ErrorMessage;
        (await FailureOfAsync("Large input")).ShouldStartWith("The input of the activity 'Size' has 300,002 bytes");
        (await FailureOfAsync("Large result")).ShouldContain("The result of the activity 'Make' has 300,002 bytes");
        (await FailureOfAsync("Large status")).ShouldStartWith("The custom status has 20,002 characters");
        var large = new string('x', 300_000);
        await Should.ThrowAsync<ArgumentException>(() => fixture.Client.ScheduleNewOrchestrationInstanceAsync("Large input", large));
        await Should.ThrowAsync<ArgumentException>(() => fixture.Client.RaiseEventAsync("any", "it", large));
    }

    [Fact]
    public async Task Options_in_the_place_of_the_input_are_refused()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Slip", context => context.CallActivityAsync<int>("A", (object)new TaskOptions())).StartAsync();
        (await fixture.RunAsync("Slip")).FailureDetails!.ErrorType.ShouldBe(typeof(ArgumentException).FullName);
    }

    [Fact]
    public async Task A_recorded_history_tells_whether_todays_code_still_does_the_same()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Recorded", async context =>
            {
                var sum = (await Task.WhenAll(Enumerable.Range(0, 3).Select(i => context.CallActivityAsync<int>("A", i)))).Sum();
                await context.CreateTimer(TimeSpan.FromMilliseconds(1), CancellationToken.None);
                return sum + await context.CallSubOrchestratorAsync<int>("Child", context.NewGuid());
            })
            .Orchestrator("Child", _ => Task.FromResult(1))
            .Activity<int, int>("A", i => i).StartAsync();
        var ended = await fixture.RunAsync("Recorded");
        var recorded = RecordedHistory.Parse((await fixture.Engine.ExportHistoryAsync(ended.InstanceId))!.ToJson());
        ReplayChecker.Check(recorded, fixture.Registry).ShouldBeNull();

        ReplayDifference? Check(Func<TaskOrchestrationContext, Task<object?>> code)
        {
            var registry = new TaskRegistry();
            registry.AddOrchestrator("Recorded", default, code);
            return ReplayChecker.Check(recorded, registry);
        }

        var other = Check(async context => await context.CallActivityAsync<int>("A", 0)).ShouldNotBeNull();
        other.Step.ShouldBe(4);
        other.Recorded.ShouldBe("a call of the activity 'A' (#1)");
        other.Done.ShouldBe("nothing");
        Check(async context =>
        {
            await Task.WhenAll(Enumerable.Range(0, 3).Select(i => context.CallActivityAsync<int>("A", i + 1)));
            return null;
        })!.Done.ShouldBe("a call of the activity 'A' (#0) with 1 instead of 0");
        var more = Check(async context =>
        {
            await Task.WhenAll(Enumerable.Range(0, 4).Select(i => context.CallActivityAsync<int>("A", i)));
            return null;
        }).ShouldNotBeNull();
        more.Done.ShouldBe("a call of the activity 'A' (#3)");
        Should.Throw<ArgumentException>(() => ReplayChecker.Check(recorded, new TaskRegistry()));
    }

    private static void AddActivities(EngineFixture fixture)
    {
        foreach (var name in new[] { "A", "B", "C" }) fixture.Activity<object?, int>(name, _ => 1);
    }
}
