using FunctionsBackup.SelfHosting.Engine;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Hosting;

/// <summary>Keeps the engine's worker going: takes over when the process that was the worker ends, and tries again after trouble.</summary>
internal sealed partial class WorkerLoop(DurableEngine engine, TimeProvider time, ILogger log)
{
    private static readonly TimeSpan Retry = TimeSpan.FromSeconds(2);

    private bool _waiting;

    /// <summary>True if this process is the worker now.</summary>
    public bool TryStart()
    {
        try
        {
            var started = engine.TryStartWorker();
            if (!started && !_waiting) LogWaiting(log);
            _waiting = !started;
            return started;
        }
        catch (StateFileException e)
        {
            LogEnded(log, e);
            return false;
        }
    }

    public async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            if (TryStart())
            {
                var ended = engine.WorkerCompletion;
                await ended.WaitAsync(stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                if (ended.IsFaulted) LogEnded(log, ended.Exception!.InnerException!);
            }

            await Task.Delay(Retry, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(4001, LogLevel.Information, "Another process does the work on this state; this one takes over when it ends.")]
    private static partial void LogWaiting(ILogger logger);

    [LoggerMessage(4002, LogLevel.Error, "The durable engine's worker has ended by itself; it is started again.")]
    private static partial void LogEnded(ILogger logger, Exception exception);
}
