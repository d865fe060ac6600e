using System.Net;
using System.Net.Sockets;
using Azure.Core.Serialization;
using FunctionsBackup.Tests.Parity.Scenarios;
using Microsoft.DurableTask;
using Microsoft.DurableTask.Client;
using Microsoft.DurableTask.Testing;
using Microsoft.DurableTask.Worker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.Parity.Real;

/// <summary>
/// The framework's own worker and client, over gRPC, on its in-memory service; set up as the Functions extension sets them up.
/// </summary>
internal sealed class RealStage(ObjectSerializer serializer) : Stage
{
    private readonly List<Action<DurableTaskRegistry>> _tasks = [];
    private readonly FunctionsConverter _converter = new(serializer);
    private DurableTaskTestHost? _host;

    public override void Orchestrator<TOutput>(string name, Func<TaskOrchestrationContext, Task<TOutput>> code) =>
        _tasks.Add(registry => registry.AddOrchestrator(name, new FunctionOrchestrator(
            _converter, async context => await code(context))));

    public override void Activity<TInput, TOutput>(string name, Func<TInput, Task<TOutput>> code) =>
        _tasks.Add(registry => registry.AddActivityFunc<TInput, TOutput>(name, (_, input) => code(input)));

    protected override async Task<DurableTaskClient> StartAsync()
    {
        for (var attempt = 1; ; attempt++)
        {
            var options = new DurableTaskTestHostOptions
            {
                Port = FreePort(),
                LoggerFactory = new CountingLoggers(this),
                ConfigureServices = services =>
                {
                    services.Configure<DurableTaskWorkerOptions>(o => o.DataConverter = _converter);
                    services.Configure<DurableTaskClientOptions>(o => o.DataConverter = _converter);
                },
            };
            try
            {
                _host = await DurableTaskTestHost.StartAsync(registry => _tasks.ForEach(add => add(registry)), options);
                return _host.Client;
            }
            catch (IOException) when (attempt < 5)
            {
                // Somebody else took the port meanwhile.
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>The host waits an hour for activities that hang; the program's end ends it.</summary>
    public override ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private sealed class FunctionOrchestrator(DataConverter converter, Func<TaskOrchestrationContext, Task<object?>> code)
        : ITaskOrchestrator
    {
        public Type InputType => typeof(object);

        public Type OutputType => typeof(object);

        public Task<object?> RunAsync(TaskOrchestrationContext context, object? input) =>
            FunctionsContext.RunAsync(context, converter, code);
    }

    private sealed class FunctionsConverter(ObjectSerializer serializer) : DataConverter
    {
        public override object? Deserialize(string? data, Type targetType) =>
            data is null ? null : serializer.Deserialize(new BinaryData(data).ToStream(), targetType, default);

        public override string? Serialize(object? value) =>
            value is null ? null : serializer.Serialize(value, value.GetType(), default).ToString();
    }

    private sealed class CountingLoggers(Stage stage) : ILoggerFactory, ILogger
    {
        private readonly string? _category;

        private CountingLoggers(Stage stage, string category)
            : this(stage) => _category = category;

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
            if (_category == "Scenario") stage.Log(formatter(state, exception));
            else if (Environment.GetEnvironmentVariable("PARITY_LOGS") == "1")
                Console.Error.WriteLine($"{_category}: {formatter(state, exception)} {exception}");
        }
    }
}
