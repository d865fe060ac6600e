using System.Collections.Concurrent;
using System.Threading.Channels;
using FunctionsBackup.SelfHosting.Engine.Clients;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>Takes messages to instances, runs their turns and activities; the only one that works on a state file.</summary>
internal sealed partial class EngineWorker : IStateObserver
{
    /// <summary>For the turns of what running activities have left, when it stops.</summary>
    private static readonly TimeSpan LastTurns = TimeSpan.FromSeconds(30);

    private readonly WorkerLock _lock;
    private readonly ConcurrentDictionary<long, InstanceRunner> _runners = new();
    private readonly Channel<InstanceRunner> _ready = Channel.CreateUnbounded<InstanceRunner>();
    private readonly TaskCompletionSource _completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _drained = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ILogger _logger;
    private Task _turnLoops = Task.CompletedTask;
    private long _lastInboxId;
    private int _active;
    private volatile bool _stopping;
    private int _ending;

    public EngineWorker(
        DurableEngineOptions options, TaskRegistry registry, StateWriter writer, StateReader reader, InstanceSignals signals,
        WorkerLock workerLock)
    {
        Options = options;
        Registry = registry;
        Writer = writer;
        Reader = reader;
        Signals = signals;
        _lock = workerLock;
        _logger = options.Loggers.CreateLogger<EngineWorker>();
        Timers = new(options.Time, Deliver);
        Activities = new(options, registry, Deliver);
    }

    public DurableEngineOptions Options { get; }

    public TaskRegistry Registry { get; }

    public StateWriter Writer { get; }

    public StateReader Reader { get; }

    public InstanceSignals Signals { get; }

    public TimerQueue Timers { get; }

    public ActivityPool Activities { get; }

    /// <summary>Completes when it works no more; fails with the reason if that was no stop.</summary>
    public Task Completion => _completion.Task;

    public int LiveOrchestrators => _runners.Count;

    public void Start()
    {
        Activities.Start();
        _turnLoops = Task.WhenAll(Enumerable.Range(0, Options.MaxConcurrentOrchestrators).Select(_ => Task.Run(TurnLoopAsync)));
        // What was left: the inbox is looked at after this.
        _ = Writer.RunAsync(tables =>
        {
            foreach (var timer in tables.Timers())
                Timers.Add(new(timer.Instance, HistoryEventKind.TimerFired, 0, timer.TaskId, Due: timer.Due));
            foreach (var activity in tables.Work()) Activities.Enqueue(activity);
            tables.InboxChanged = true;
            Writer.Observer = this;
            return true;
        });
    }

    public void Deliver(Message message)
    {
        // The inbox and the table of timers keep the others; results of activities are only here.
        if (_stopping && message.Kind is not (HistoryEventKind.TaskCompleted or HistoryEventKind.TaskFailed)) return;
        while (!_runners.GetOrAdd(message.Instance, key => new(this, key)).Post(message))
        {
            // A retired runner leaves the dictionary right away.
        }
    }

    /// <summary>The runner has something to do.</summary>
    public void Schedule(InstanceRunner runner)
    {
        Interlocked.Increment(ref _active);
        _ready.Writer.TryWrite(runner);
    }

    /// <summary>A scheduled runner has done its turn, and that is committed.</summary>
    public void Idle()
    {
        if (Interlocked.Decrement(ref _active) == 0 && _stopping) _drained.TrySetResult();
    }

    public void Forget(InstanceRunner runner) => _runners.TryRemove(new(runner.Key, runner));

    /// <param name="hurry">Ends the grace time of running activities.</param>
    public async Task StopAsync(CancellationToken hurry)
    {
        if (Interlocked.Exchange(ref _ending, 1) == 0) await EndAsync(null, hurry).ConfigureAwait(false);
        await Completion.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    void IStateObserver.InboxChanged(StateTables tables)
    {
        foreach (var message in tables.MessagesAfter(_lastInboxId))
        {
            _lastInboxId = message.InboxId;
            if (message.Due is { } due && due > Options.Time.GetUtcNow()) Timers.Add(message);
            else Deliver(message);
        }
    }

    void IStateObserver.Tick()
    {
        Timers.Check();
        var surplus = _runners.Count - Options.MaxLiveOrchestrators;
        if (surplus <= 0) return;
        foreach (var runner in _runners.Values.OrderBy(r => r.LastUsed).Take(surplus + Options.MaxLiveOrchestrators / 8))
            if (runner.TryRetire()) Forget(runner);
    }

    void IStateObserver.WriterFailed(Exception exception) => Fail(exception);

    /// <summary>Nothing more can be kept: all ends here.</summary>
    public void Fail(Exception exception)
    {
        if (Interlocked.Exchange(ref _ending, 1) != 0) return;
        LogFailed(_logger, exception, Options.DatabasePath, exception.Message);
        Activities.Abort();
        _ = Task.Run(() => EndAsync(exception, new CancellationToken(true)));
    }

    public void LogBrokenTurn(Exception exception, long instance) => LogBroken(_logger, exception, instance);

    private async Task EndAsync(Exception? failure, CancellationToken hurry)
    {
        try
        {
            await Activities.StopAsync(hurry).ConfigureAwait(false);
            _stopping = true;
            if (failure is null && Volatile.Read(ref _active) > 0)
            {
                try
                {
                    await _drained.Task.WaitAsync(LastTurns, CancellationToken.None).ConfigureAwait(false);
                }
                catch (TimeoutException)
                {
                    LogStuck(_logger);
                }
            }

            Writer.Observer = null;
            _ready.Writer.TryComplete();
            if (failure is null) await _turnLoops.ConfigureAwait(false);
        }
        finally
        {
            Activities.Dispose();
            Timers.Dispose();
            _lock.Dispose();
            if (failure is null) _completion.TrySetResult();
            else _completion.TrySetException(failure);
            Signals.PulseAll();
        }
    }

    private async Task TurnLoopAsync()
    {
        await foreach (var runner in _ready.Reader.ReadAllAsync().ConfigureAwait(false))
        {
            try
            {
                runner.RunTurn();
            }
#pragma warning disable CA1031 // A turn that cannot be made ends the worker, with the reason.
            catch (Exception e)
#pragma warning restore CA1031
            {
                Fail(e);
            }
        }
    }

    [LoggerMessage(LogLevel.Critical, "The work on the state file {Path} has ended: {Reason}")]
    private static partial void LogFailed(ILogger logger, Exception exception, string path, string reason);

    [LoggerMessage(LogLevel.Critical, "The instance with the key {Key} cannot go on before the next start; it can be terminated.")]
    private static partial void LogBroken(ILogger logger, Exception exception, long key);

    [LoggerMessage(LogLevel.Warning, "An orchestrator does not return from its turn; it is left behind, and replayed at the next start.")]
    private static partial void LogStuck(ILogger logger);
}
