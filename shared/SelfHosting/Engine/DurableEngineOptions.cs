using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.SelfHosting.Engine;

/// <summary>How an engine runs.</summary>
public sealed record DurableEngineOptions
{
    /// <summary>The state file; it and its folder are made when missing, for their owner alone.</summary>
    public required string DatabasePath { get; init; }

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>Activities that run at the same time, over all instances.</summary>
    public int MaxConcurrentActivities { get; init; } = 32;

    /// <summary>Turns of orchestrators that run at the same time.</summary>
    public int MaxConcurrentOrchestrators { get; init; } = Environment.ProcessorCount;

    /// <summary>
    /// Orchestrators that are kept in memory between their turns; others are replayed when something comes for them. 0: each turn begins
    /// with a replay.
    /// </summary>
    public int MaxLiveOrchestrators { get; init; } = 500;

    /// <summary>Bytes that an input, a result or an event may have as JSON.</summary>
    public int MaxPayloadBytes { get; init; } = 256 * 1024;

    /// <summary>How long a stop waits for running activities before it cancels them.</summary>
    public TimeSpan StopGrace { get; init; } = TimeSpan.FromSeconds(30);

    public ILoggerFactory Loggers { get; init; } = NullLoggerFactory.Instance;
}
