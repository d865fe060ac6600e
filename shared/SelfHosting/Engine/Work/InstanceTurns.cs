using FunctionsBackup.SelfHosting.Engine.Execution;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using FunctionsBackup.SelfHosting.Engine.Replay;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.DurableTask.Client;
using Microsoft.Extensions.Logging;

namespace FunctionsBackup.SelfHosting.Engine.Work;

internal enum TurnResult
{
    Nothing,
    Commit,

    /// <summary>The instance has not been started.</summary>
    Early,

    /// <summary>There is no such instance.</summary>
    Gone,

    /// <summary>The instance is under way, but its orchestrator, in its version, is not registered.</summary>
    NoCode,
}

/// <summary>The turns of one instance: brings its execution into memory, gives it what came, and makes the change that follows.</summary>
internal sealed partial class InstanceTurns(EngineWorker worker, long key)
{
    private readonly ILogger _logger = worker.Options.Loggers.CreateLogger<InstanceTurns>();
    private InstanceRow? _instance;
    private OrchestrationExecution? _execution;
    private InstanceRunner? _runner;
    private long _nextSequence = 1;

    /// <summary>Whether only a start (or an end) lets it go on.</summary>
    public bool AwaitsStart { get; private set; }

    public static bool Starts(HistoryEventKind kind) => kind is HistoryEventKind.ExecutionStarted or HistoryEventKind.ExecutionRewound
        or HistoryEventKind.ExecutionTerminated or HistoryEventKind.InstanceRemoved;

    public (TurnResult Result, TurnChange? Change) Run(InstanceRunner runner, List<Message> batch)
    {
        _runner = runner;
        List<HistoryEventRow> history = [];
        if (_instance is null)
        {
            _instance = worker.Reader.Find(key);
            if (_instance is { HasEnded: false }) history = worker.Reader.History(key);
        }

        var change = new TurnChange(runner, _instance ?? InstanceRow.Removed(key), worker.Options.Time.GetUtcNow());
        if (_instance is null)
        {
            Consume(change, batch);
            return change.IsEmpty ? (TurnResult.Gone, null) : (TurnResult.Commit, change);
        }

        if (batch.Exists(m => m.Kind == HistoryEventKind.InstanceRemoved) || _instance.HasEnded)
        {
            Consume(change, batch);
            return change.IsEmpty && !_instance.HasEnded ? (TurnResult.Nothing, null)
                : change.IsEmpty ? (TurnResult.Gone, null) : (TurnResult.Commit, change);
        }

        if (batch.Find(m => m.Kind == HistoryEventKind.ExecutionTerminated) is { } terminated)
        {
            if (history.Count > 0) _nextSequence = history[^1].Sequence + 1;
            Terminate(change, batch, terminated);
            return (TurnResult.Commit, change);
        }

        if (_execution is null)
        {
            var isOver = history is [.., { Kind: HistoryEventKind.ExecutionCompleted }];
            AwaitsStart = history.Count == 0 || isOver;
            if (AwaitsStart && !batch.Exists(m => Starts(m.Kind)))
            {
                _instance = null; // it may have another status when it is started
                return (TurnResult.Early, null);
            }

            if (history.Count > 0 && !Begin(change, batch, history, isOver))
            {
                _instance = null;
                return (TurnResult.NoCode, null);
            }
        }

        if (change.End is null) Turn(change, batch);
        return change.IsEmpty ? (TurnResult.Nothing, null) : (TurnResult.Commit, change);
    }

    /// <summary>The next turn begins from the state file.</summary>
    public void Forget()
    {
        _instance = null;
        _execution = null;
        AwaitsStart = false;
    }

    /// <summary>After the commit: what the next turn begins with.</summary>
    public void Committed(TurnChange change)
    {
        if (change.Rows.Count > 0 && change.Next is null) _nextSequence = change.Rows[^1].Sequence + 1;
        _instance = _instance! with
        {
            Status = change.Status ?? _instance.Status, Version = change.Started?.Version ?? _instance.Version,
        };
        AwaitsStart = _execution is null;
        if (change.Next is null) return;
        _execution = null;
        _instance = _instance with { Version = change.Next.Version };
        _nextSequence = 1;
        AwaitsStart = true;
    }

    /// <summary>Replays or rewinds what was under way.</summary>
    /// <returns>False: its code is missing.</returns>
    private bool Begin(TurnChange change, List<Message> batch, List<HistoryEventRow> history, bool isOver)
    {
        var start = history.First(r => r.Kind == HistoryEventKind.ExecutionStarted);
        if (worker.Registry.FindOrchestrator(start.Name!, start.Detail) is not { } code)
        {
            LogNoCode(_logger, _instance!.InstanceId, worker.Registry.ExplainMissing(start.Name!, start.Detail));
            return false;
        }

        _execution = NewExecution(code);
        if (isOver)
        {
            var rewound = batch.Find(m => m.Kind == HistoryEventKind.ExecutionRewound)!;
            new HistoryRewind(_execution, change, worker.Reader, rewound.Data).Run(history);
            _nextSequence = change.Rows[^1].Sequence + 1;
            return true;
        }

        _nextSequence = history[^1].Sequence + 1;
        try
        {
            new HistoryReplay(_execution).Run(history);
        }
        catch (NonDeterministicOrchestrationException e)
        {
            LogNonDeterministic(_logger, _instance!.InstanceId, e.Message);
            Consume(change, batch);
            AddRow(change, HistoryEventKind.OrchestratorStarted);
            End(change, OrchestrationRuntimeStatus.Failed, null, FailureData.From(e));
        }

        return true;
    }

    private void Turn(TurnChange change, List<Message> batch)
    {
        var inputs = new List<HistoryEventRow>();
        if (_execution is null)
        {
            var start = batch.Find(m => m.Kind == HistoryEventKind.ExecutionStarted)!;
            batch.Remove(start);
            batch.Insert(0, start);
            var version = start.Detail ?? _instance!.Version;
            if (worker.Registry.FindOrchestrator(_instance!.Name, version) is not { } code)
            {
                Consume(change, batch);
                AddRow(change, HistoryEventKind.OrchestratorStarted);
                var why = worker.Registry.ExplainMissing(_instance.Name, version);
                End(change, OrchestrationRuntimeStatus.Failed, null, new("OrchestratorTaskNotFound", why, IsFinal: true));
                return;
            }

            change.Started = (code.Version, start.Data);
            _execution = NewExecution(code);
        }

        _execution.BeginTurn(change.Now, replaying: false);
        foreach (var message in batch)
        {
            if (message.InboxId > 0) change.Consumed.Add(message.InboxId);
            if (message.Kind == HistoryEventKind.TimerFired)
            {
                if (_execution.DueOf(message.TaskId) != message.Due) continue; // of a run before the instance was rewound
                change.DoneTimers.Add(message.TaskId);
            }

            if (message.Kind is HistoryEventKind.TaskCompleted or HistoryEventKind.TaskFailed) change.DoneWork.Add(message.TaskId);
            if (message.Kind is HistoryEventKind.OrchestratorStarted or HistoryEventKind.ExecutionRewound) continue;
            if (message.Kind == HistoryEventKind.ExecutionStarted && change.Started is null) continue; // it was started before
            var row = ToRow(message, change.Now, change.Started?.Version);
            if (_execution.Deliver(row)) inputs.Add(row);
        }

        Conclude(change, inputs, _execution.EndTurn());
    }

    private void Conclude(TurnChange change, List<HistoryEventRow> inputs, TurnOutcome outcome)
    {
        if (inputs.Count == 0 && outcome.End == TurnEnd.Waiting && !change.ReplacesHistory) return;
        if (outcome.End == TurnEnd.ContinuedAsNew)
        {
            var version = outcome.NewVersion ?? _execution!.Identity.Version;
            change.Next = new(version, outcome.Output, [.. outcome.CarriedEvents.Select(e =>
                new Message(key, HistoryEventKind.EventRaised, Math.Max(e.TaskId, 0), -1, e.Name, null, e.Data))]);
            change.Rows.Clear();
            change.EventsSent.AddRange(outcome.Actions.Select(a => a.Row).Where(r => r.Kind == HistoryEventKind.EventSent));
            change.Status = OrchestrationRuntimeStatus.Running;
        }
        else
        {
            AddRow(change, HistoryEventKind.OrchestratorStarted);
            foreach (var row in inputs) change.Rows.Add(row with { Sequence = NextSequence(change) });
            foreach (var action in outcome.Actions) AddAction(change, action);
            change.Status = _execution!.IsSuspended ? OrchestrationRuntimeStatus.Suspended : OrchestrationRuntimeStatus.Running;
        }

        change.CancelledTimers = outcome.CancelledTimers;
        // A new run begins without the custom status of the one before.
        change.CustomStatusChanged = _execution!.CustomStatusChanged || change.Started is not null;
        change.CustomStatus = _execution.CustomStatus;
        if (outcome.End == TurnEnd.Completed) End(change, OrchestrationRuntimeStatus.Completed, outcome.Output, null);
        else if (outcome.End == TurnEnd.Failed) End(change, OrchestrationRuntimeStatus.Failed, null, outcome.Failure);
    }

    private void AddAction(TurnChange change, TurnAction action)
    {
        var row = action.Row with { Sequence = NextSequence(change) };
        change.Rows.Add(row);
        switch (row.Kind)
        {
            case HistoryEventKind.TaskScheduled:
                change.NewWork.Add((row.TaskId, row.Sequence));
                break;
            case HistoryEventKind.TimerCreated:
                change.NewTimers.Add((row.TaskId, action.Due));
                break;
            case HistoryEventKind.SubOrchestrationCreated:
                change.SubOrchestrations.Add(NewSubOrchestration.From(action));
                break;
            case HistoryEventKind.EventSent:
                change.EventsSent.Add(row);
                break;
        }
    }

    private void Terminate(TurnChange change, List<Message> batch, Message terminated)
    {
        Consume(change, batch);
        AddRow(change, HistoryEventKind.OrchestratorStarted);
        change.Rows.Add(ToRow(terminated, change.Now, null) with { Sequence = NextSequence(change) });
        change.TerminatesChildren = terminated.Detail is not null;
        End(change, OrchestrationRuntimeStatus.Terminated, terminated.Data, null);
    }

    private void End(TurnChange change, OrchestrationRuntimeStatus status, string? output, FailureData? failure)
    {
        change.Rows.Add(new(
            NextSequence(change), HistoryEventKind.ExecutionCompleted, change.Now, -1, null, $"{status}", failure?.ToJson() ?? output));
        change.Status = status;
        change.End = (output, failure);
        change.NewWork.Clear();
        change.NewTimers.Clear();
    }

    private OrchestrationExecution NewExecution(RegisteredOrchestrator code)
    {
        var parent = _instance!.ParentKey is { } parentKey ? worker.Reader.Find(parentKey) : null;
        return new(
            new(_instance.InstanceId, _instance.Name, code.Version, parent is null ? null : new(parent.Name, parent.InstanceId)), code.Run,
            worker.Options.Loggers, worker.Options.MaxPayloadBytes,
            () => _runner!.Post(new(key, HistoryEventKind.OrchestratorStarted)));
    }

    private long NextSequence(TurnChange change) => change.Rows.Count > 0 ? change.Rows[^1].Sequence + 1 : _nextSequence;

    private void AddRow(TurnChange change, HistoryEventKind kind) => change.Rows.Add(new(NextSequence(change), kind, change.Now));

    private static void Consume(TurnChange change, List<Message> batch) =>
        change.Consumed.AddRange(batch.Where(m => m.InboxId > 0).Select(m => m.InboxId));

    /// <summary>An event keeps its place in the inbox, for the case that it is carried on.</summary>
    private static HistoryEventRow ToRow(Message message, DateTimeOffset now, string? version) => new(
        0, message.Kind, now, message.Kind == HistoryEventKind.EventRaised ? message.InboxId : message.TaskId, message.Name,
        message.Kind == HistoryEventKind.ExecutionStarted ? version : message.Detail, message.Data);

    private static DateTimeOffset Now(TurnChange change) => change.Now;

    [LoggerMessage(LogLevel.Error, "'{InstanceId}' waits for its code: {Reason} It goes on when a host that has it works on this file.")]
    private static partial void LogNoCode(ILogger logger, string instanceId, string reason);

    [LoggerMessage(LogLevel.Error, "'{InstanceId}' failed: {Reason}")]
    private static partial void LogNonDeterministic(ILogger logger, string instanceId, string reason);
}
