using Microsoft.Extensions.Logging;

namespace FunctionsBackup.Tests.SelfHosting.Engine;

/// <summary>Keeps what is logged.</summary>
internal sealed partial class ListLoggers : ILoggerFactory, ILogger
{
    private readonly List<string> _lines = [];

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines) return [.. _lines];
        }
    }

    [LoggerMessage(LogLevel.Information, "{Text}")]
    public static partial void Say(ILogger logger, string text);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public ILogger CreateLogger(string categoryName) => this;

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines) _lines.Add(formatter(state, exception));
    }

    public void Dispose()
    {
        // Nothing is held.
    }
}
