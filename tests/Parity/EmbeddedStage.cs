using FunctionsBackup.SelfHosting.Engine;
using FunctionsBackup.Tests.Parity.Scenarios;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Parity;

/// <summary>The embedded engine with a state file of its own.</summary>
/// <param name="replays">Whether orchestrators leave memory after each turn, so that each turn begins with a replay.</param>
internal sealed class EmbeddedStage(bool replays) : Stage
{
    private readonly TaskRegistry _registry = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("parity-").FullName;
    private DurableEngine? _engine;

    public override void Orchestrator<TOutput>(string name, Func<TaskOrchestrationContext, Task<TOutput>> code) =>
        _registry.AddOrchestrator(name, default, async context => await code(context));

    public override void Activity<TInput, TOutput>(string name, Func<TInput, Task<TOutput>> code) =>
        _registry.AddActivity(name, async invocation => await code(invocation.GetInput<TInput>()!));

    protected override async Task<DurableTaskClient> StartAsync()
    {
        var options = new DurableEngineOptions
        {
            DatabasePath = Path.Join(_folder, "state.db"),
            MaxLiveOrchestrators = replays ? 0 : 500,
            Loggers = new CountingLoggers(this),
        };
        _engine = await DurableEngine.OpenAsync(options, _registry, CancellationToken.None);
        _engine.TryStartWorker().ShouldBeTrue();
        return _engine.Client;
    }

    public override async ValueTask DisposeAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    private sealed class CountingLoggers(Stage stage, string? category = null) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => new CountingLoggers(stage, categoryName);

        public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (category == "Scenario") stage.Log(formatter(state, exception));
        }
    }
}
