using Microsoft.Extensions.Logging;

namespace Microsoft.DurableTask;

/// <summary>Silent while the orchestrator only repeats what it did before.</summary>
internal sealed class ReplaySafeLogger(TaskOrchestrationContext context, ILogger logger) : ILogger
{
    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => logger.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => logger.IsEnabled(logLevel);

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!context.IsReplaying) logger.Log(logLevel, eventId, state, exception, formatter);
    }
}

/// <summary>Makes loggers of that kind.</summary>
internal sealed class ReplaySafeLoggerFactory(TaskOrchestrationContext context) : ILoggerFactory
{
    public void AddProvider(ILoggerProvider provider) => context.UnderlyingLoggerFactory.AddProvider(provider);

    public ILogger CreateLogger(string categoryName) => context.CreateReplaySafeLogger(categoryName);

    public void Dispose()
    {
        // The underlying factory is not ours.
    }
}
