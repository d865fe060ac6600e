using System.Threading.Channels;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>Runs activities, a bounded number at a time, and delivers how they ended.</summary>
internal sealed partial class ActivityPool : IDisposable
{
    /// <summary>How long activities that ignore their cancelled token are waited for.</summary>
    private static readonly TimeSpan LastWait = TimeSpan.FromSeconds(10);

    private readonly Channel<PendingActivity> _queue = Channel.CreateUnbounded<PendingActivity>();
    private readonly Dictionary<long, InstanceScope> _instances = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _abort = new();
    private readonly DurableEngineOptions _options;
    private readonly TaskRegistry _registry;
    private readonly Action<Message> _deliver;
    private readonly CancellationToken _aborted;
    private readonly ILogger _logger;
    private Task _workers = Task.CompletedTask;

    public ActivityPool(DurableEngineOptions options, TaskRegistry registry, Action<Message> deliver)
    {
        _options = options;
        _registry = registry;
        _deliver = deliver;
        _aborted = _abort.Token;
        _logger = options.Loggers.CreateLogger<ActivityPool>();
    }

    public void Start() =>
        _workers = Task.WhenAll(Enumerable.Range(0, _options.MaxConcurrentActivities).Select(_ => Task.Run(WorkAsync)));

    public void Enqueue(PendingActivity activity)
    {
        lock (_instances)
        {
            if (!_instances.TryGetValue(activity.Instance, out var scope))
                _instances[activity.Instance] = scope = new(CancellationTokenSource.CreateLinkedTokenSource(_aborted));
            scope.Activities++;
        }

        _queue.Writer.TryWrite(activity);
    }

    /// <summary>The instance has ended: what it called is of no use any more.</summary>
    public void Cancel(long instance)
    {
        lock (_instances)
        {
            // Callbacks of the token run elsewhere.
            if (_instances.TryGetValue(instance, out var scope)) scope.Cancelling = scope.Ended.CancelAsync();
        }
    }

    /// <summary>Begins no more activities; those that run get the grace time, then their token is cancelled.</summary>
    /// <param name="hurry">Ends the grace time.</param>
    public async Task StopAsync(CancellationToken hurry)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        try
        {
            await _workers.WaitAsync(_options.StopGrace, hurry).ConfigureAwait(false);
            return;
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException)
        {
            // Their token is next.
        }

        await _abort.CancelAsync().ConfigureAwait(false);
        try
        {
            await _workers.WaitAsync(LastWait, CancellationToken.None).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            LogIgnored(_logger);
        }
    }

    /// <summary>Cancels all at once, because their results could not be kept.</summary>
    public void Abort()
    {
        _stopping.Cancel();
        _abort.Cancel();
    }

    private async Task WorkAsync()
    {
        var stopping = _stopping.Token;
        try
        {
            while (true)
            {
                var activity = await _queue.Reader.ReadAsync(stopping).ConfigureAwait(false);
                if (stopping.IsCancellationRequested) return; // it stays in the table of work
                var ended = TokenOf(activity.Instance);
                if (!ended.IsCancellationRequested && await RunAsync(activity, ended).ConfigureAwait(false) is { } message)
                    _deliver(message);
                await LeaveAsync(activity.Instance).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What is queued stays in the table of work.
        }
    }

    /// <summary>After the stop.</summary>
    public void Dispose()
    {
        // Those who still run have tokens of their own, which are cancelled.
        Abort();
        _stopping.Dispose();
        _abort.Dispose();
    }

    private CancellationToken TokenOf(long instance)
    {
        lock (_instances) return _instances[instance].Ended.Token;
    }

    private async Task LeaveAsync(long instance)
    {
        InstanceScope scope;
        lock (_instances)
        {
            scope = _instances[instance];
            if (--scope.Activities > 0) return;
            _instances.Remove(instance);
        }

        await scope.Cancelling.ConfigureAwait(false);
        scope.Ended.Dispose();
    }

    /// <returns>How it ended; null: it was stopped, and runs again after the next start, unless its instance has ended.</returns>
    private async Task<Message?> RunAsync(PendingActivity activity, CancellationToken ended)
    {
        try
        {
            var run = _registry.FindActivity(activity.Name);
            if (run is null)
                return Failed(activity, new("ActivityTaskNotFound", $"There is no activity named '{activity.Name}'.", IsFinal: true));
            var result = await run(new(activity.Name, activity.InstanceId, activity.TaskId, activity.Input, ended)).ConfigureAwait(false);
            var json = Payload.Serialize(result, _options.MaxPayloadBytes, $"The result of the activity '{activity.Name}'");
            return new(activity.Instance, HistoryEventKind.TaskCompleted, 0, activity.TaskId, Data: json);
        }
#pragma warning disable CA1031 // Whatever the activity threw becomes its failure.
        catch (Exception e)
#pragma warning restore CA1031
        {
            // Whatever it makes of its cancellation.
            if (ended.IsCancellationRequested) return null;
            LogFailed(_logger, e, activity.Name, activity.TaskId, activity.InstanceId);
            return Failed(activity, FailureData.From(e));
        }
    }

    private static Message Failed(PendingActivity activity, FailureData failure) =>
        new(activity.Instance, HistoryEventKind.TaskFailed, 0, activity.TaskId, Data: failure.ToJson());

    /// <summary>The activities of one instance that are queued or running.</summary>
    private sealed class InstanceScope(CancellationTokenSource ended)
    {
        public CancellationTokenSource Ended { get; } = ended;

        public int Activities { get; set; }

        public Task Cancelling { get; set; } = Task.CompletedTask;
    }

    [LoggerMessage(LogLevel.Warning, "The activity '{Name}' (#{TaskId}) of '{InstanceId}' failed.")]
    private static partial void LogFailed(ILogger logger, Exception exception, string name, long taskId, string instanceId);

    [LoggerMessage(LogLevel.Warning, "Activities ignore their cancellation; they are left behind, and run again after the next start.")]
    private static partial void LogIgnored(ILogger logger);
}
