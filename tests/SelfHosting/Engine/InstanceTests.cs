using DurableTask.Core.Exceptions;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>Starting, finding and purging instances; versions.</summary>
public sealed class InstanceTests
{
    [Fact]
    public async Task An_id_is_used_once_until_its_instance_has_ended()
    {
        await using var fixture = await Waiting().StartAsync();
        await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait", new StartOrchestrationOptions("one"));
        var again = new StartOrchestrationOptions("one");
        var refused = await Should.ThrowAsync<OrchestrationAlreadyExistsException>(() =>
            fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait", again));
        refused.Message.ShouldContain("'one' exists");
        await fixture.Client.RaiseEventAsync("one", "it", 1);
        await fixture.EndOfAsync("one");
        await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait", again);
        (await fixture.Client.GetInstanceAsync("one"))!.IsCompleted.ShouldBeFalse();
    }

    [Fact]
    public async Task Dedupe_statuses_say_which_instances_are_kept()
    {
        await using var fixture = await Waiting().StartAsync();
        Task<string> Start(params string[] statuses) => fixture.Client.ScheduleNewOrchestrationInstanceAsync(
            "Wait", new StartOrchestrationOptions("one") { DedupeStatuses = statuses });
        await Start();
        await fixture.UntilAsync("one", i => i.IsRunning);
        await Should.ThrowAsync<OrchestrationAlreadyExistsException>(() => Start("Running", "completed"));
        await Start("Completed"); // replaces the running one
        await fixture.UntilAsync("one", i => i.IsRunning);
        await fixture.Client.RaiseEventAsync("one", "it", 8);
        (await fixture.EndOfAsync("one")).ReadOutputAs<int>().ShouldBe(8);
        await Should.ThrowAsync<OrchestrationAlreadyExistsException>(() => Start("Completed"));
        await Should.ThrowAsync<ArgumentException>(() => Start("Terminated"));
        await Should.ThrowAsync<ArgumentException>(() => Start("Nonsense"));
    }

    [Fact]
    public async Task A_start_can_be_for_later()
    {
        var clock = new ManualTime();
        await using var fixture = await new EngineFixture { Clock = clock }
            .Orchestrator("Now", context => Task.FromResult(context.CurrentUtcDateTime)).StartAsync();
        var at = clock.GetUtcNow().AddDays(3);
        await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Now", new StartOrchestrationOptions("later", at));
        await fixture.RunAsync("Now");
        (await fixture.Client.GetInstanceAsync("later"))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Pending);
        await fixture.RestartAsync();
        clock.Advance(TimeSpan.FromDays(3));
        (await fixture.EndOfAsync("later")).ReadOutputAs<DateTime>().ShouldBe(at.UtcDateTime);
    }

    [Fact]
    public async Task Instances_are_found_by_status_time_and_prefix_page_by_page()
    {
        var clock = new ManualTime();
        await using var fixture = await Waiting(clock).StartAsync();
        var began = clock.GetUtcNow();
        for (var i = 0; i < 25; i++)
        {
            var id = $"{(i % 5 == 0 ? "backup" : "verify")}-{i:00}";
            await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait", i, new StartOrchestrationOptions(id)
            {
                Tags = new Dictionary<string, string> { ["n"] = $"{i}" },
            });
            if (i < 10)
            {
                await fixture.Client.RaiseEventAsync(id, "it", i);
                await fixture.EndOfAsync(id);
            }

            clock.Advance(TimeSpan.FromMinutes(1));
        }

        async Task<List<string>> Find(OrchestrationQuery query)
        {
            var found = new List<string>();
            await foreach (var instance in fixture.Client.GetAllInstancesAsync(query)) found.Add(instance.InstanceId);
            return found;
        }

        (await Find(new(PageSize: 7))).Count.ShouldBe(25);
        (await Find(new(InstanceIdPrefix: "backup-"))).ShouldBe(["backup-00", "backup-05", "backup-10", "backup-15", "backup-20"]);
        (await Find(new(Statuses: [OrchestrationRuntimeStatus.Completed], PageSize: 3))).Count.ShouldBe(10);
        (await Find(new(CreatedFrom: began.AddMinutes(5), CreatedTo: began.AddMinutes(6)))).ShouldBe(["backup-05", "verify-06"]);
        (await Find(new(TaskHubNames: ["another"]))).ShouldBeEmpty();

        var pages = new List<Page<OrchestrationMetadata>>();
        await foreach (var page in fixture.Client.GetAllInstancesAsync(new(PageSize: 10)).AsPages()) pages.Add(page);
        pages.Select(p => p.Values.Count).ShouldBe([10, 10, 5]);
        pages[^1].ContinuationToken.ShouldBeNull();
        (await Find(new(PageSize: 10, ContinuationToken: pages[0].ContinuationToken))).Count.ShouldBe(15);
        await Should.ThrowAsync<ArgumentException>(() => Find(new(ContinuationToken: "nonsense")));
        pages[0].Values[3].SerializedInput.ShouldBeNull();
        pages[0].Values[3].Tags["n"].ShouldBe("3");

        (await fixture.Client.PurgeAllInstancesAsync(new(CreatedTo: began.AddMinutes(4)))).PurgedInstanceCount.ShouldBe(5);
        (await fixture.Client.PurgeAllInstancesAsync(new())).PurgedInstanceCount.ShouldBe(5);
        (await Find(new())).Count.ShouldBe(15, "those that have not ended are kept");
    }

    [Fact]
    public async Task A_purge_takes_the_sub_orchestrations_along_if_asked()
    {
        await using var fixture = await Waiting()
            .Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>(
                "Wait", null, new SubOrchestrationOptions(instanceId: "child")))
            .StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Parent");
        await fixture.UntilAsync("child", i => i.IsRunning);
        (await fixture.Client.PurgeInstanceAsync(id)).PurgedInstanceCount.ShouldBe(0);
        await fixture.Client.RaiseEventAsync("child", "it", 1);
        await fixture.EndOfAsync(id);
        (await fixture.Client.PurgeInstanceAsync(id, new PurgeInstanceOptions(Recursive: true))).PurgedInstanceCount.ShouldBe(2);
        (await fixture.Client.GetInstanceAsync(id)).ShouldBeNull();
        (await fixture.Engine.GetHistoryAsync("child")).ShouldBeEmpty();
        (await fixture.Client.PurgeInstanceAsync("nobody")).PurgedInstanceCount.ShouldBe(0);
    }

    [Fact]
    public async Task An_instance_keeps_the_version_that_it_was_started_with()
    {
        await using var fixture = new EngineFixture();
        fixture.Orchestrator("Run", Versioned, "1.9");
        await fixture.StartAsync();
        var old = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run");
        await fixture.UntilStatusIsAsync(old, "1.9");
        await fixture.CloseAsync();
        fixture.Orchestrator("Run", async context => $"new {await Versioned(context)}", "1.10");
        await fixture.StartAsync();
        var young = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run");
        var named = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run", new StartOrchestrationOptions { Version = "1.9" });
        foreach (var id in new[] { old, young, named }) await fixture.Client.RaiseEventAsync(id, "it", "done");
        (await fixture.EndOfAsync(old)).ReadOutputAs<string>().ShouldBe("1.9 done");
        (await fixture.EndOfAsync(young)).ReadOutputAs<string>().ShouldBe("new 1.10 done");
        (await fixture.EndOfAsync(named)).ReadOutputAs<string>().ShouldBe("1.9 done");
    }

    [Fact]
    public async Task An_instance_whose_version_is_missing_waits_for_it_and_a_new_one_is_refused()
    {
        await using var fixture = new EngineFixture();
        fixture.Orchestrator("Run", Versioned, "1");
        await fixture.StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run");
        await fixture.UntilStatusIsAsync(id, "1");
        await fixture.CloseAsync();
        fixture.Registry = new();
        fixture.Orchestrator("Run", Versioned, "2");
        await fixture.StartAsync();
        await fixture.Client.RaiseEventAsync(id, "it", "late");
        var refused = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run", new StartOrchestrationOptions { Version = "1" });
        (await fixture.EndOfAsync(refused)).FailureDetails!.ErrorMessage
            .ShouldBe("The orchestrator 'Run' has no version '1' here, only '2'.");
        (await fixture.RunAsync("Ran")).FailureDetails!.ErrorMessage.ShouldStartWith("There is no orchestrator named 'Ran'");
        (await fixture.Client.GetInstanceAsync(id))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Running);
        await fixture.CloseAsync();
        fixture.Registry = new();
        fixture.Orchestrator("Run", Versioned, "1");
        await fixture.StartAsync();
        (await fixture.EndOfAsync(id)).ReadOutputAs<string>().ShouldBe("1 late");
    }

    [Fact]
    public async Task An_instance_whose_code_is_missing_can_be_terminated()
    {
        await using var fixture = new EngineFixture();
        fixture.Orchestrator("Run", Versioned);
        await fixture.StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run");
        await fixture.UntilStatusIsAsync(id, "");
        await fixture.CloseAsync();
        fixture.Registry = new();
        await fixture.StartAsync();
        await fixture.Client.RaiseEventAsync(id, "it", "x");
        await fixture.Client.TerminateInstanceAsync(id, (object?)"gone");
        (await fixture.EndOfAsync(id)).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Terminated);
    }

    [Fact]
    public async Task A_run_can_go_on_in_a_newer_version()
    {
        await using var fixture = await new EngineFixture()
            .Orchestrator("Run", context =>
            {
                context.ContinueAsNew(new ContinueAsNewOptions { NewInput = "from 1", NewVersion = "2" });
                return Task.FromResult("");
            }, "1")
            .Orchestrator("Run", context => Task.FromResult($"{context.Version} {context.GetInput<string>()}"), "2").StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Run", new StartOrchestrationOptions { Version = "1" });
        (await fixture.EndOfAsync(id)).ReadOutputAs<string>().ShouldBe("2 from 1");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("@a")]
    [InlineData("a\nb")]
    public async Task Ids_that_Durable_Functions_refuses_are_refused(string id)
    {
        await using var fixture = await Waiting().StartAsync();
        await Should.ThrowAsync<ArgumentException>(() =>
            fixture.Client.ScheduleNewOrchestrationInstanceAsync("Wait", new StartOrchestrationOptions(id)));
    }

    private static EngineFixture Waiting(ManualTime? clock = null) =>
        new EngineFixture { Clock = clock }.Orchestrator("Wait", context => context.WaitForExternalEvent<int>("it"));

    private static async Task<string> Versioned(TaskOrchestrationContext context)
    {
        context.SetCustomStatus(context.Version);
        return $"{context.Version} {await context.WaitForExternalEvent<string>("it")}";
    }
}
