using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>
/// The living run of an orchestrator's code. Events go in, one by one, within a turn; what the code did in answer comes out as actions.
/// Turns may run on different threads, but only one at a time.
/// </summary>
internal sealed class OrchestrationExecution
{
    /// <summary>Characters of JSON, as in Durable Functions.</summary>
    private const int LongestCustomStatus = 16 * 1024;

    private readonly Func<TaskOrchestrationContext, Task<object?>> _code;
    private readonly int _maxPayloadBytes;
    private readonly Action _violated;
    private readonly TurnScheduler _turns;
    private readonly OrchestrationContext _context;
    private readonly Dictionary<long, OpenTask> _open = [];
    private readonly HashSet<long> _held = [];
    private readonly Queue<HistoryEventRow> _whileSuspended = new();
    private List<TurnAction> _actions = [];
    private List<long> _cancelledTimers = [];
    private Task<object?>? _main;
    private ContinueAsNewOptions? _next;
    private string? _nextInput;
    private long _taskIds;
    private string? _violation;
    private string? _lastStep;

    /// <param name="identity">Who it is.</param>
    /// <param name="code">What it does.</param>
    /// <param name="loggers">For its replay-safe loggers.</param>
    /// <param name="maxPayloadBytes">Of an input, an event, a result.</param>
    /// <param name="violated">Told when the code went on outside of a turn: then a turn must be made, which fails it. Any thread.</param>
    public OrchestrationExecution(
        ExecutionIdentity identity, Func<TaskOrchestrationContext, Task<object?>> code, ILoggerFactory loggers, int maxPayloadBytes,
        Action violated)
    {
        Identity = identity;
        Loggers = loggers;
        _code = code;
        _maxPayloadBytes = maxPayloadBytes;
        _violated = violated;
        _turns = new(method => LeaveTurn(method is null ? "it was woken by something" : $"'{method}' awaits something"));
        _context = new(this);
    }

    public ExecutionIdentity Identity { get; }

    public ILoggerFactory Loggers { get; }

    public DateTime CurrentUtcDateTime { get; private set; }

    public bool IsReplaying { get; private set; }

    public bool IsSuspended { get; private set; }

    public string? Input { get; private set; }

    public EventWaiters Events { get; } = new();

    /// <summary>JSON; null: none.</summary>
    public string? CustomStatus { get; private set; }

    /// <summary>Since the last turn's beginning.</summary>
    public bool CustomStatusChanged { get; private set; }

    /// <summary>Why its code may not go on; null: it may.</summary>
    public string? Violation => _violation;

    /// <summary>In this turn so far.</summary>
    public IReadOnlyList<TurnAction> Actions => _actions;

    /// <summary>Whether the code has ended, though tasks that it began may still run.</summary>
    public bool CodeHasEnded => _main is { IsCompleted: true };

    public bool HasOpenTasks => _open.Count > 0;

    /// <summary>When the timer fires; null: no such timer is open.</summary>
    public DateTimeOffset? DueOf(long taskId) => _open.GetValueOrDefault(taskId)?.Due;

    public void BeginTurn(DateTimeOffset now, bool replaying)
    {
        CurrentUtcDateTime = now.UtcDateTime;
        IsReplaying = replaying;
        CustomStatusChanged = false;
        _actions = [];
        _cancelledTimers = [];
    }

    /// <returns>False: it concerns nothing that is open, and does not belong into the history.</returns>
    public bool Deliver(HistoryEventRow happened)
    {
        if (_violation is not null) return false;
        switch (happened.Kind)
        {
            case HistoryEventKind.ExecutionSuspended:
                if (IsSuspended) return false;
                IsSuspended = true;
                return true;
            case HistoryEventKind.ExecutionResumed:
                if (!IsSuspended) return false;
                IsSuspended = false;
                while (_whileSuspended.TryDequeue(out var waiting)) _turns.Run(() => Process(waiting));
                _held.Clear();
                return true;
            case HistoryEventKind.ExecutionRewound:
                return true;
        }

        var isResult = IsResult(happened.Kind);
        if (isResult && (!_open.TryGetValue(happened.TaskId, out var task) || !task.TakesResult(happened.Kind))) return false;
        if (IsSuspended)
        {
            if (isResult && !_held.Add(happened.TaskId)) return false;
            _whileSuspended.Enqueue(happened);
            return true;
        }

        _turns.Run(() => Process(happened));
        return true;
    }

    public TurnOutcome EndTurn()
    {
        if (_violation is null && !IsSuspended && _main is { IsCompleted: false } && _open.Count == 0 && !Events.HasWaiters)
            Violate("it awaits something");
        if (_violation is not null)
            return Outcome(TurnEnd.Failed) with { Failure = new(typeof(InvalidOperationException).FullName!, _violation) };
        if (_main is not { IsCompleted: true } || _open.Count > 0) return Outcome(TurnEnd.Waiting);
        try
        {
            var result = _main.GetAwaiter().GetResult();
            if (_next is not null)
            {
                return Outcome(TurnEnd.ContinuedAsNew) with
                {
                    Output = _nextInput,
                    NewVersion = string.IsNullOrWhiteSpace(_next.NewVersion) ? null : _next.NewVersion,
                    CarriedEvents = _next.PreserveUnprocessedEvents ? Events.Kept : [],
                };
            }

            return Outcome(TurnEnd.Completed) with { Output = Serialize(result, $"The result of '{Identity.Name}'") };
        }
#pragma warning disable CA1031 // Whatever the code threw becomes its failure.
        catch (Exception e)
#pragma warning restore CA1031
        {
            return Outcome(TurnEnd.Failed) with { Failure = FailureData.From(e) };
        }
    }

    public string? Serialize(object? value, string what) => Payload.Serialize(value, _maxPayloadBytes, what);

    /// <exception cref="InvalidOperationException">The caller is not the orchestrator's code in its turn.</exception>
    public void RequireTurn(string member)
    {
        if (_turns.IsInTurn) return;
        LeaveTurn($"it calls {member} from another thread, after awaiting something");
        throw new InvalidOperationException(_violation);
    }

    public Task<string?> CallActivity(string name, string? input)
    {
        if (string.IsNullOrEmpty(name)) throw new ArgumentException("The activity has no name.", nameof(name));
        var task = Open(HistoryEventKind.TaskScheduled, out var id);
        Act(new(new(0, HistoryEventKind.TaskScheduled, Now, id, name, null, input)));
        return task.Source.Task;
    }

    public Task<string?> CallSubOrchestration(
        string name, string instanceId, TaskVersion? version, string? input, IDictionary<string, string>? tags)
    {
        if (string.IsNullOrEmpty(name)) throw new ArgumentException("The sub-orchestration has no name.", nameof(name));
        Clients.InstanceIds.Check(instanceId);
        var task = Open(HistoryEventKind.SubOrchestrationCreated, out var id);
        Act(new(new(0, HistoryEventKind.SubOrchestrationCreated, Now, id, name, instanceId, input), version?.Version, default, tags));
        return task.Source.Task;
    }

    public Task CreateTimer(DateTimeOffset due, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled(cancellationToken);
        var task = Open(HistoryEventKind.TimerCreated, out var id);
        task.Due = due;
        Act(new(new(0, HistoryEventKind.TimerCreated, Now, id, Data: InstanceRow.Instant(due)), Due: due));
        task.Cancellation = cancellationToken.Register(() =>
        {
            if (!_turns.IsInTurn)
            {
                LeaveTurn("a token of it is cancelled by something");
                return;
            }

            if (!_open.Remove(id)) return;
            _cancelledTimers.Add(id);
            task.Source.SetCanceled(cancellationToken);
        });
        return task.Source.Task;
    }

    public void SendEvent(string instanceId, string name, string? payload) =>
        Act(new(new(0, HistoryEventKind.EventSent, Now, _taskIds++, name, instanceId, payload)));

    public void SetCustomStatus(object? status)
    {
        var json = Payload.Serialize(status, int.MaxValue, "The custom status");
        if (json?.Length > LongestCustomStatus)
        {
            throw new ArgumentException(
                $"The custom status has {json.Length:N0} characters as JSON; at most {LongestCustomStatus:N0} are kept.");
        }

        if (json == CustomStatus) return;
        CustomStatus = json;
        CustomStatusChanged = true;
    }

    public void ContinueAsNew(ContinueAsNewOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        _nextInput = Serialize(options.NewInput, $"The next input of '{Identity.Name}'");
        _next = options;
    }

    internal static bool IsResult(HistoryEventKind kind) => kind is HistoryEventKind.TaskCompleted or HistoryEventKind.TaskFailed
        or HistoryEventKind.SubOrchestrationCompleted or HistoryEventKind.SubOrchestrationFailed or HistoryEventKind.TimerFired;

    private DateTimeOffset Now => new(CurrentUtcDateTime, TimeSpan.Zero);

    private void Process(HistoryEventRow happened)
    {
        switch (happened.Kind)
        {
            case HistoryEventKind.ExecutionStarted:
                Input = happened.Data;
                _main = Start();
                break;
            case HistoryEventKind.EventRaised:
                Events.Raise(happened);
                break;
            default:
                if (!_open.Remove(happened.TaskId, out var task)) break; // cancelled meanwhile
                task.Cancellation.Unregister();
                if (happened.Kind is HistoryEventKind.TaskFailed or HistoryEventKind.SubOrchestrationFailed)
                    task.Source.SetException(new TaskFailure(happened.TaskId, FailureData.Parse(happened.Data)));
                else
                    task.Source.SetResult(happened.Data);
                break;
        }
    }

#pragma warning disable CA2007 // In the orchestrator's own context.
    private async Task<object?> Start() => await _code(_context);
#pragma warning restore CA2007

    private OpenTask Open(HistoryEventKind kind, out long id)
    {
        id = _taskIds++;
        return _open[id] = new OpenTask(kind);
    }

    private void Act(TurnAction action)
    {
        _actions.Add(action);
        _lastStep = action.Row.Describe();
    }

    /// <summary>It went on outside of a turn, perhaps after the last one had ended: somebody must make another, which fails it.</summary>
    private void LeaveTurn(string what)
    {
        Violate(what);
        _violated();
    }

    private void Violate(string what) => _violation ??=
        $"The orchestrator '{Identity.Name}' left its turn: {what} that is no durable task (after {_lastStep ?? "its start"}); await " +
        "only what its context returns, without ConfigureAwait(false), and do everything else in activities.";

    private TurnOutcome Outcome(TurnEnd end) => new(end, _actions, _cancelledTimers);

    /// <summary>An activity, timer or sub-orchestration that has not ended.</summary>
    private sealed class OpenTask(HistoryEventKind kind)
    {
        public TaskCompletionSource<string?> Source { get; } = new();

        public CancellationTokenRegistration Cancellation { get; set; }

        /// <summary>Of a timer.</summary>
        public DateTimeOffset? Due { get; set; }

        public bool TakesResult(HistoryEventKind result) => kind switch
        {
            HistoryEventKind.TaskScheduled => result is HistoryEventKind.TaskCompleted or HistoryEventKind.TaskFailed,
            HistoryEventKind.TimerCreated => result is HistoryEventKind.TimerFired,
            _ => result is HistoryEventKind.SubOrchestrationCompleted or HistoryEventKind.SubOrchestrationFailed,
        };
    }
}
