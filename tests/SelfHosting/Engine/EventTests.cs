using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>External events, events between instances, and those that are carried on.</summary>
public sealed class EventTests
{
    [Fact]
    public async Task Early_events_are_kept_and_come_in_order()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Collect", async context =>
            {
                context.SetCustomStatus("open");
                await context.WaitForExternalEvent<object?>("close");
                var values = new List<int>();
                for (var i = 0; i < 3; i++) values.Add(await context.WaitForExternalEvent<int>("value"));
                return values;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Collect");
        foreach (var value in new[] { 1, 2, 3 }) await fixture.Client.RaiseEventAsync(id, "VALUE", value);
        await fixture.UntilStatusIsAsync(id, "open");
        await fixture.RestartAsync();
        await fixture.Client.RaiseEventAsync(id, "close");
        (await fixture.EndOfAsync(id)).ReadOutputAs<int[]>().ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task The_newest_waiter_gets_the_event()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Two", async context =>
            {
                var older = context.WaitForExternalEvent<string>("it");
                var newer = context.WaitForExternalEvent<string>("it");
                context.SetCustomStatus("waiting");
                return $"newer {await newer}, older {await older}";
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Two");
        await fixture.UntilStatusIsAsync(id, "waiting");
        await fixture.Client.RaiseEventAsync(id, "it", "first");
        await fixture.Client.RaiseEventAsync(id, "it", "second");
        (await fixture.EndOfAsync(id)).ReadOutputAs<string>().ShouldBe("newer first, older second");
    }

    [Fact]
    public async Task A_wait_that_timed_out_takes_no_event()
    {
        var clock = new ManualTime();
        await using var fixture = await new EngineFixture { Clock = clock }
            .Orchestrator("Patient", async context =>
            {
                var late = false;
                try
                {
                    context.SetCustomStatus("first");
                    await context.WaitForExternalEvent<string>("answer", TimeSpan.FromHours(1));
                }
                catch (TaskCanceledException)
                {
                    late = true;
                }

                context.SetCustomStatus("second");
                return $"{late} {await context.WaitForExternalEvent<string>("answer", TimeSpan.FromDays(1))}";
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Patient");
        await fixture.UntilStatusIsAsync(id, "first");
        clock.Advance(TimeSpan.FromHours(1));
        await fixture.UntilStatusIsAsync(id, "second");
        await fixture.Client.RaiseEventAsync(id, "answer", "yes");
        // Completed, although a timer of a day was made: it is cancelled when the event comes.
        (await fixture.EndOfAsync(id)).ReadOutputAs<string>().ShouldBe("True yes");
    }

    [Fact]
    public async Task One_name_has_one_type()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Mixed", async context =>
            {
                var number = context.WaitForExternalEvent<int>("it");
                return await context.WaitForExternalEvent<string>("it") + await number;
            }).StartAsync();
        (await fixture.RunAsync("Mixed")).FailureDetails!.ErrorType.ShouldBe(typeof(ArgumentException).FullName);
    }

    [Fact]
    public async Task Events_that_were_not_waited_for_go_to_the_next_run_before_those_that_come_later()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Eternal", async context =>
            {
                var seen = context.GetInput<List<int>>()!;
                context.SetCustomStatus($"run {seen.Count}");
                await context.WaitForExternalEvent<object?>("next");
                seen.Add(await context.WaitForExternalEvent<int>("value"));
                if (seen.Count < 4) context.ContinueAsNew(seen);
                return seen;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Eternal", new List<int>());
        foreach (var value in new[] { 1, 2, 3 }) await fixture.Client.RaiseEventAsync(id, "value", value);
        await fixture.UntilStatusIsAsync(id, "run 0");
        await fixture.Client.RaiseEventAsync(id, "next");
        await fixture.UntilStatusIsAsync(id, "run 1");
        await fixture.Client.RaiseEventAsync(id, "value", 4);
        await fixture.Client.RaiseEventAsync(id, "next");
        await fixture.UntilStatusIsAsync(id, "run 2");
        await fixture.RestartAsync();
        await fixture.Client.RaiseEventAsync(id, "next");
        await fixture.Client.RaiseEventAsync(id, "next");
        (await fixture.EndOfAsync(id)).ReadOutputAs<int[]>().ShouldBe([1, 2, 3, 4]);
        (await fixture.Engine.GetHistoryAsync(id)).Count.ShouldBeLessThan(12, "each run has a history of its own");
    }

    [Fact]
    public async Task Events_are_dropped_when_the_next_run_does_not_want_them()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Forgetful", async context =>
            {
                if (context.GetInput<int>() == 2) return await context.WaitForExternalEvent<string>("value");
                await context.WaitForExternalEvent<object?>("next");
                context.ContinueAsNew(2, preserveUnprocessedEvents: false);
                return "";
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Forgetful", 1);
        await fixture.Client.RaiseEventAsync(id, "value", "old");
        await fixture.Client.RaiseEventAsync(id, "next");
        await fixture.UntilAsync(id, i => i.SerializedInput == "2");
        await fixture.Client.RaiseEventAsync(id, "value", "new");
        (await fixture.EndOfAsync(id)).ReadOutputAs<string>().ShouldBe("new");
    }

    [Fact]
    public async Task Orchestrations_send_events_to_each_other()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Sender", context =>
            {
                context.SendEvent("receiver", "ping", new { Number = 7 });
                context.SendEvent("nobody", "ping", 0);
                return Task.FromResult(true);
            })
            .Orchestrator("Receiver", context => context.WaitForExternalEvent<Dictionary<string, int>>("ping")).StartAsync();
        await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Receiver", new StartOrchestrationOptions("receiver"));
        (await fixture.RunAsync("Sender")).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed);
        (await fixture.EndOfAsync("receiver")).ReadOutputAs<Dictionary<string, int>>()!["Number"].ShouldBe(7);
    }

    [Fact]
    public async Task Events_for_instances_that_have_ended_or_do_not_exist_are_dropped()
    {
        await using var fixture = await new EngineFixture().Orchestrator("Short", _ => Task.FromResult(1)).StartAsync();
        await fixture.RunAsync("Short", null, "ended");
        await fixture.Client.RaiseEventAsync("ended", "it");
        await fixture.Client.RaiseEventAsync("nobody", "it");
        (await fixture.Engine.GetHistoryAsync("ended")).ShouldNotContain(r => r.Name == "it");
    }
}
