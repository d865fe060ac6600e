using FunctionsBackup.SelfHosting.Engine;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>A state file of a test's own, with engines on it.</summary>
internal sealed class EngineFixture : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("engine-").FullName;
    private DurableEngine? _engine;

    public string Path => System.IO.Path.Join(_folder, "state.db");

    public TaskRegistry Registry { get; set; } = new();

    public ManualTime? Clock { get; init; }

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;

    public int MaxLive { get; init; } = 500;

    public int MaxActivities { get; init; } = 8;

    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(20);

    public DurableEngine Engine => _engine ?? throw new InvalidOperationException("The engine is not open.");

    public DurableTaskClient Client => Engine.Client;

    public EngineFixture Orchestrator<T>(string name, Func<TaskOrchestrationContext, Task<T>> run, string version = "")
    {
        Registry.AddOrchestrator(name, version, async context => await run(context));
        return this;
    }

    public EngineFixture Activity<TIn, TOut>(string name, Func<TIn, TOut> run)
    {
        Registry.AddActivity(name, call => Task.FromResult<object?>(run(call.GetInput<TIn>()!)));
        return this;
    }

    public EngineFixture ActivityAsync(string name, Func<ActivityInvocation, Task<object?>> run)
    {
        Registry.AddActivity(name, run);
        return this;
    }

    public async Task<EngineFixture> StartAsync(bool work = true)
    {
        _engine = await OpenAsync();
        if (work) _engine.TryStartWorker().ShouldBeTrue();
        return this;
    }

    public Task<DurableEngine> OpenAsync() => DurableEngine.OpenAsync(
        new()
        {
            DatabasePath = Path, Time = (TimeProvider?)Clock ?? TimeProvider.System, Loggers = Loggers, MaxLiveOrchestrators = MaxLive,
            MaxConcurrentActivities = MaxActivities, StopGrace = Grace,
        },
        Registry, CancellationToken.None);

    /// <summary>Closes the engine and opens the file anew: all that is in memory is gone.</summary>
    public async Task RestartAsync()
    {
        await CloseAsync();
        await StartAsync();
    }

    public async Task CloseAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        _engine = null;
    }

    /// <summary>Starts an orchestration and waits for its end.</summary>
    public async Task<OrchestrationMetadata> RunAsync(string name, object? input = null, string? id = null)
    {
        id = await Client.ScheduleNewOrchestrationInstanceAsync(name, input, new StartOrchestrationOptions(id));
        return await EndOfAsync(id);
    }

    public Task<OrchestrationMetadata> EndOfAsync(string id) =>
        Client.WaitForInstanceCompletionAsync(id, true).WaitAsync(TimeSpan.FromSeconds(60));

    /// <summary>Waits until an instance has got that far.</summary>
    public async Task<OrchestrationMetadata> UntilAsync(string id, Func<OrchestrationMetadata, bool> isThere)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (true)
        {
            if (await Client.GetInstanceAsync(id, true) is { } instance && isThere(instance)) return instance;
            await Task.Delay(10, patience.Token);
        }
    }

    public Task<OrchestrationMetadata> UntilStatusIsAsync(string id, string status) =>
        UntilAsync(id, i => i.SerializedCustomStatus == $"\"{status}\"");

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
