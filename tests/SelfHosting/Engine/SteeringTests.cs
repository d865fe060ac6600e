using FunctionsBackup.SelfHosting.Engine.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>Suspend, resume, terminate, rewind.</summary>
public sealed class SteeringTests
{
    [Fact]
    public async Task A_suspended_instance_keeps_what_comes_until_it_is_resumed()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Wait", async context =>
            {
                var first = await context.WaitForExternalEvent<int>("it");
                return first + await context.CallActivityAsync<int>("Echo", 40);
            })
            .Activity<int, int>("Echo", i => i).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait");
        await fixture.Client.WaitForInstanceStartAsync(id);
        await fixture.Client.SuspendInstanceAsync(id, "a pause");
        await fixture.UntilAsync(id, i => i.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);
        await fixture.Client.RaiseEventAsync(id, "it", 2);
        await fixture.RestartAsync();
        (await fixture.Engine.GetHistoryAsync(id)).ShouldNotContain(r => r.Kind == HistoryEventKind.TaskScheduled);
        (await fixture.Client.GetInstanceAsync(id))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Suspended);
        await fixture.Client.ResumeInstanceAsync(id);
        (await fixture.EndOfAsync(id)).ReadOutputAs<int>().ShouldBe(42);
    }

    [Fact]
    public async Task Activities_of_a_suspended_instance_run_on_and_their_results_are_kept()
    {
        var go = new TaskCompletionSource();
        await using var fixture = await new EngineFixture()
            .Orchestrator("One", context => context.CallActivityAsync<int>("Slow"))
            .ActivityAsync("Slow", async _ =>
            {
                await go.Task;
                return 1;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("One");
        await fixture.Client.WaitForInstanceStartAsync(id);
        await fixture.Client.SuspendInstanceAsync(id);
        await fixture.UntilAsync(id, i => i.RuntimeStatus == OrchestrationRuntimeStatus.Suspended);
        go.SetResult();
        while (!(await fixture.Engine.GetHistoryAsync(id)).Any(r => r.Kind == HistoryEventKind.TaskCompleted)) await Task.Delay(5);
        await fixture.RestartAsync();
        await fixture.Client.ResumeInstanceAsync(id);
        (await fixture.EndOfAsync(id)).ReadOutputAs<int>().ShouldBe(1);
    }

    [Fact]
    public async Task A_terminated_instance_ends_and_its_activities_are_cancelled()
    {
        var running = new TaskCompletionSource();
        var cancelled = new TaskCompletionSource();
        await using var fixture = await new EngineFixture()
            .Orchestrator("Long", context => context.CallActivityAsync<int>("Endless"))
            .ActivityAsync("Endless", async call =>
            {
                running.SetResult();
                try
                {
                    await Task.Delay(Timeout.Infinite, call.CancellationToken);
                }
                catch (OperationCanceledException)
                {
                    cancelled.SetResult();
                    throw;
                }

                return null;
            }).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Long");
        await running.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await fixture.Client.TerminateInstanceAsync(id, "enough");
        var ended = await fixture.EndOfAsync(id);
        ended.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Terminated);
        ended.ReadOutputAs<string>().ShouldBe("enough");
        await cancelled.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await Should.ThrowAsync<InvalidOperationException>(() => fixture.Client.TerminateInstanceAsync(id));
        await Should.ThrowAsync<InvalidOperationException>(() => fixture.Client.SuspendInstanceAsync(id));
        await Should.ThrowAsync<ArgumentException>(() => fixture.Client.ResumeInstanceAsync("nobody"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Termination_reaches_sub_orchestrations_only_if_asked(bool recursive)
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>(
                "Child", null, new SubOrchestrationOptions(instanceId: "child")))
            .Orchestrator("Child", context => context.WaitForExternalEvent<int>("it")).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Parent");
        await fixture.UntilAsync("child", i => i.RuntimeStatus == OrchestrationRuntimeStatus.Running);
        await fixture.Client.TerminateInstanceAsync(id, new TerminateInstanceOptions(Recursive: recursive));
        await fixture.EndOfAsync(id);
        if (!recursive) await fixture.Client.RaiseEventAsync("child", "it", 5);
        (await fixture.EndOfAsync("child")).RuntimeStatus.ShouldBe(
            recursive ? OrchestrationRuntimeStatus.Terminated : OrchestrationRuntimeStatus.Completed);
    }

    [Fact]
    public async Task A_terminated_sub_orchestration_fails_its_call()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>(
                "Child", null, new SubOrchestrationOptions(instanceId: "child")))
            .Orchestrator("Child", context => context.WaitForExternalEvent<int>("it")).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Parent");
        await fixture.UntilAsync("child", i => i.RuntimeStatus == OrchestrationRuntimeStatus.Running);
        await fixture.Client.TerminateInstanceAsync("child", (object?)null);
        (await fixture.EndOfAsync(id)).FailureDetails!.ErrorMessage.ShouldContain("'child' was terminated");
    }

    [Fact]
    public async Task A_rewound_instance_keeps_what_succeeded_and_does_again_what_failed()
    {
        var calls = new Dictionary<string, int>();
        var broken = true;
        await using var fixture = await new EngineFixture()
            .Orchestrator("Three", async context =>
            {
                var good = context.CallActivityAsync<string>("Do", "good");
                var late = context.CallActivityAsync<string>("Do", "late");
                try
                {
                    var bad = await context.CallActivityAsync<string>("Do", "bad");
                    return $"{await good} {await late} {bad} {await context.CallActivityAsync<string>("Do", "after")}";
                }
                catch (TaskFailedException)
                {
                    await context.CallActivityAsync<string>("Do", "cleanup");
                    throw;
                }
            })
            .Activity<string, string>("Do", what =>
            {
                lock (calls) calls[what] = calls.GetValueOrDefault(what) + 1;
                return what == "bad" && broken ? throw new InvalidOperationException("bad") : what;
            }).StartAsync();
        var failed = await fixture.RunAsync("Three");
        failed.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        broken = false;
        await fixture.Client.RewindInstanceAsync(failed.InstanceId, "mended");
        (await fixture.EndOfAsync(failed.InstanceId)).ReadOutputAs<string>().ShouldBe("good late bad after");
        calls.Select(c => $"{c.Key} {c.Value}").Order().ShouldBe(["after 1", "bad 2", "cleanup 1", "good 1", "late 1"]);
        await Should.ThrowAsync<InvalidOperationException>(() => fixture.Client.RewindInstanceAsync(failed.InstanceId, "again"));
        await Should.ThrowAsync<ArgumentException>(() => fixture.Client.RewindInstanceAsync("nobody", "why"));
    }

    [Fact]
    public async Task An_instance_that_failed_because_its_code_was_changed_goes_on_when_the_code_is_put_back()
    {
        static async Task<int> Right(TaskOrchestrationContext context)
        {
            var one = await context.CallActivityAsync<int>("Echo", 1);
            context.SetCustomStatus("waiting");
            return one + await context.WaitForExternalEvent<int>("it");
        }

        await using var fixture = new EngineFixture();
        fixture.Orchestrator("Change", Right).Activity<int, int>("Echo", i => i);
        var right = fixture.Registry;
        await fixture.StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Change");
        await fixture.UntilStatusIsAsync(id, "waiting");
        await fixture.CloseAsync();
        fixture.Registry = new();
        fixture.Orchestrator("Change", context => context.WaitForExternalEvent<int>("it"));
        await fixture.StartAsync();
        await fixture.Client.RaiseEventAsync(id, "it", 1);
        (await fixture.EndOfAsync(id)).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        await fixture.CloseAsync();
        fixture.Registry = right;
        await fixture.StartAsync();
        await fixture.Client.RewindInstanceAsync(id, "the code is back");
        await fixture.Client.RaiseEventAsync(id, "it", 41);
        (await fixture.EndOfAsync(id)).ReadOutputAs<int>().ShouldBe(42);
    }

    [Fact]
    public async Task Rewinding_goes_down_into_failed_sub_orchestrations()
    {
        var runs = new List<string>();
        var broken = true;
        await using var fixture = await new EngineFixture()
            .Orchestrator("Parent", async context =>
            {
                var first = await context.CallActivityAsync<string>("Do", "parent's");
                return $"{first}, {await context.CallSubOrchestratorAsync<string>("Child")}";
            })
            .Orchestrator("Child", async context =>
                $"{await context.CallActivityAsync<string>("Do", "child's")}, {await context.CallActivityAsync<string>("Do", "bad")}")
            .Activity<string, string>("Do", what =>
            {
                lock (runs) runs.Add(what);
                return what == "bad" && broken ? throw new InvalidOperationException("bad") : what;
            }).StartAsync();
        var failed = await fixture.RunAsync("Parent");
        failed.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        broken = false;
        await fixture.Client.RewindInstanceAsync(failed.InstanceId, "mended");
        await fixture.RestartAsync();
        (await fixture.EndOfAsync(failed.InstanceId)).ReadOutputAs<string>().ShouldBe("parent's, child's, bad");
        runs.ShouldBe(["parent's", "child's", "bad", "bad"]);
    }
}
