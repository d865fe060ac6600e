using FunctionsBackup.SelfHosting.Engine.History;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>Retry policies and handlers, of activities and sub-orchestrations.</summary>
public sealed class RetryTests
{
    [Fact]
    public async Task Waits_grow_up_to_the_maximum_and_the_last_failure_is_thrown()
    {
        var clock = new ManualTime();
        var attempts = new List<DateTimeOffset>();
        await using var fixture = await Fixture(clock, attempts, new RetryPolicy(
            5, TimeSpan.FromMinutes(1), backoffCoefficient: 3, maxRetryInterval: TimeSpan.FromMinutes(5))).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Persist");
        var ended = await EndMovingAsync(fixture, clock, id);
        ended.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        ended.FailureDetails!.InnerFailure!.ErrorMessage.ShouldBe("attempt 5");
        Minutes(attempts).ShouldBe([1, 3, 5, 5]);
    }

    [Fact]
    public async Task After_the_timeout_no_retry_begins()
    {
        var clock = new ManualTime();
        var attempts = new List<DateTimeOffset>();
        await using var fixture = await Fixture(clock, attempts, new RetryPolicy(
            100, TimeSpan.FromMinutes(10), retryTimeout: TimeSpan.FromMinutes(25))).StartAsync();
        var id = await fixture.Client.ScheduleNewOrchestrationInstanceAsync("Persist");
        (await EndMovingAsync(fixture, clock, id)).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        Minutes(attempts).ShouldBe([10, 10, 10]);
    }

    [Fact]
    public async Task A_failure_that_the_policy_does_not_handle_is_not_retried()
    {
        var attempts = new List<DateTimeOffset>();
        await using var fixture = await Fixture(new ManualTime(), attempts, new RetryPolicy(5, TimeSpan.FromMinutes(1))
        {
            HandleFailure = failure => !failure.IsCausedBy<InvalidOperationException>(),
        }).StartAsync();
        (await fixture.RunAsync("Persist")).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        attempts.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_handler_decides_with_the_attempts_number_and_the_failure()
    {
        var seen = new List<string>();
        await using var fixture = await new EngineFixture()
            .Orchestrator("Persist", context => context.CallActivityAsync<string>("Fail", null, TaskOptions.FromRetryHandler(retry =>
            {
                if (!context.IsReplaying) seen.Add($"{retry.LastAttemptNumber} {retry.LastFailure.ErrorMessage}");
                return retry.LastAttemptNumber < 3;
            })))
            .Activity<string, string>("Fail", _ => throw new InvalidOperationException("no")).StartAsync();
        (await fixture.RunAsync("Persist")).RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Failed);
        seen.ShouldBe(["1 no", "2 no", "3 no"]);
    }

    [Fact]
    public async Task An_unknown_activity_fails_at_once_whatever_the_policy()
    {
        await using var fixture = await new EngineFixture { Clock = new ManualTime() }
            .Orchestrator("Persist", context => context.CallActivityAsync<string>(
                "Nowhere", null, TaskOptions.FromRetryPolicy(new(5, TimeSpan.FromHours(1))))).StartAsync();
        var ended = await fixture.RunAsync("Persist");
        ended.FailureDetails!.ErrorType.ShouldBe(typeof(TaskFailedException).FullName);
        ended.FailureDetails.ErrorMessage.ShouldContain("There is no activity named 'Nowhere'.");
    }

    [Fact]
    public async Task A_sub_orchestration_is_retried_as_a_new_instance()
    {
        var attempts = 0;
        await using var fixture = await new EngineFixture()
            .Orchestrator("Parent", context => context.CallSubOrchestratorAsync<int>("Child", null, new SubOrchestrationOptions(
                TaskOptions.FromRetryPolicy(new(3, TimeSpan.FromMilliseconds(1))), "the-child")))
            .Orchestrator("Child", context => context.CallActivityAsync<int>("Third time lucky"))
            .Activity<string, int>("Third time lucky", _ => ++attempts < 3 ? throw new InvalidOperationException() : attempts).StartAsync();
        (await fixture.RunAsync("Parent")).ReadOutputAs<int>().ShouldBe(3);
        (await fixture.Client.GetInstanceAsync("the-child"))!.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed);
    }

    private static EngineFixture Fixture(ManualTime clock, List<DateTimeOffset> attempts, RetryPolicy policy) =>
        new EngineFixture { Clock = clock }
            .Orchestrator("Persist", context => context.CallActivityAsync<string>("Fail", null, TaskOptions.FromRetryPolicy(policy)))
            .Activity<string, string>("Fail", _ =>
            {
                lock (attempts)
                {
                    attempts.Add(clock.GetUtcNow());
                    throw new InvalidOperationException($"attempt {attempts.Count}");
                }
            });

    private static IEnumerable<double> Minutes(List<DateTimeOffset> attempts) =>
        attempts.Zip(attempts.Skip(1), (a, b) => (b - a).TotalMinutes);

    /// <summary>Moves the clock by a minute whenever the instance waits for a timer.</summary>
    private static async Task<OrchestrationMetadata> EndMovingAsync(EngineFixture fixture, ManualTime clock, string id)
    {
        while (true)
        {
            var history = await fixture.Engine.GetHistoryAsync(id);
            if (history is [.., { Kind: HistoryEventKind.TimerCreated } timer] && clock.GetUtcNow() < DateTimeOffset.Parse(timer.Data!))
                clock.Advance(TimeSpan.FromMinutes(1));
            if (await fixture.Client.GetInstanceAsync(id, true) is { IsCompleted: true } ended) return ended;
            await Task.Delay(2);
        }
    }
}
