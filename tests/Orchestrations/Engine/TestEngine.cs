using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.Tests.Orchestrations.Host;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.Tests.Orchestrations.Engine;

/// <summary>The embedded engine with all functions, on a state file beside the test's site.</summary>
internal sealed class TestEngine : IAsyncDisposable
{
    private TestEngine(BackupSite site, TaskRegistry registry) => (Site, Registry) = (site, registry);

    public BackupSite Site { get; }

    public TaskRegistry Registry { get; }

    public DurableEngine Engine { get; private set; } = null!;

    public DurableTaskClient Client => Engine.Client;

    public static async Task<TestEngine> StartAsync(
        TestSite test, string state = "state.db", int maxLive = 500, Func<ActivityInvocation, Task>? before = null)
    {
        var site = test.Open();
        TestEngine? engine = null;
        var registry = FunctionRegistration.Create(site, () => engine!.Client, before);
        engine = new TestEngine(site, registry);
        engine.Engine = await DurableEngine.OpenAsync(
            new DurableEngineOptions
            {
                DatabasePath = Path.Join(test.Folder, state), MaxLiveOrchestrators = maxLive, StopGrace = TimeSpan.Zero,
            },
            registry, CancellationToken.None);
        engine.Engine.TryStartWorker().ShouldBeTrue();
        return engine;
    }

    public async Task<OrchestrationMetadata> EndOfAsync(string instance) =>
        await Client.WaitForInstanceCompletionAsync(instance, getInputsAndOutputs: true).WaitAsync(TimeSpan.FromMinutes(3));

    public async Task<T> ResultOfAsync<T>(string instance)
        where T : class
    {
        var end = await EndOfAsync(instance);
        end.RuntimeStatus.ShouldBe(OrchestrationRuntimeStatus.Completed, end.FailureDetails?.ToString());
        return end.ReadOutputAs<T>().ShouldNotBeNull();
    }

    public async Task<T> RunAsync<T>(TaskName orchestrator, object input, string instance)
        where T : class
    {
        await Client.ScheduleNewOrchestrationInstanceAsync(orchestrator, input, new StartOrchestrationOptions(instance));
        return await ResultOfAsync<T>(instance);
    }

    public async ValueTask DisposeAsync()
    {
        await Engine.DisposeAsync();
        await Site.DisposeAsync();
    }
}
