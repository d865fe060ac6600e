using FunctionsBackup.SelfHosting.Engine.Execution;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>
/// Takes a failed instance back: runs its code again over its history without the failures in it. What the code calls as before, by name
/// and input, gets the result that it had; what failed, and what only followed from a failure, is called anew. The history is written anew
/// to match.
/// </summary>
internal sealed class HistoryRewind(OrchestrationExecution execution, TurnChange change, StateReader reader, string? reason)
{
    /// <summary>Calls of the old history, by what was called, oldest first.</summary>
    private readonly Dictionary<(HistoryEventKind, string?, string?), Queue<HistoryEventRow>> _oldCalls = [];

    private readonly Dictionary<long, HistoryEventRow> _oldResults = [];

    /// <summary>From the old history's task ids to those of now.</summary>
    private readonly Dictionary<long, long> _taskIds = [];

    /// <summary>Of now, without a result.</summary>
    private readonly Dictionary<long, (TurnAction Action, long Sequence, HistoryEventRow? Old)> _open = [];

    private readonly Queue<HistoryEventRow> _late = new();

    /// <summary>Calls of now that are calls of old.</summary>
    private readonly HashSet<long> _seen = [];

    /// <summary>Results that came before their call of now: by sequence number.</summary>
    private readonly HashSet<long> _passed = [];

    public void Run(List<HistoryEventRow> history)
    {
        foreach (var row in history)
        {
            if (row.IsAction)
            {
                var what = What(row);
                if (!_oldCalls.TryGetValue(what, out var calls)) _oldCalls[what] = calls = new();
                calls.Enqueue(row);
            }
            else if (OrchestrationExecution.IsResult(row.Kind) && !IsFailure(row.Kind))
            {
                _oldResults[row.TaskId] = row;
            }
        }

        List<HistoryEventRow> inputs = [];
        var time = history[0].Time;
        foreach (var row in history)
        {
            if (row.Kind == HistoryEventKind.OrchestratorStarted)
            {
                Turn(time, inputs);
                time = row.Time;
                inputs = [];
            }
            else if (!row.IsAction && !IsFailure(row.Kind)
                && row.Kind is not (HistoryEventKind.ExecutionCompleted or HistoryEventKind.ExecutionTerminated))
            {
                inputs.Add(row);
            }
        }

        Turn(time, inputs);
        while (_late.Count > 0) Turn(change.Now, []);
        Add(new(0, HistoryEventKind.OrchestratorStarted, change.Now));
        Add(new(0, HistoryEventKind.ExecutionRewound, change.Now, Data: reason));
        change.ReplacesHistory = true;
        change.End = null;
        Reopen();
    }

    private static bool IsFailure(HistoryEventKind kind) => kind is HistoryEventKind.TaskFailed or HistoryEventKind.SubOrchestrationFailed;

    private static (HistoryEventKind, string?, string?) What(HistoryEventRow row) =>
        (row.Kind, row.Name, row.Kind == HistoryEventKind.TimerCreated ? null : row.Data);

    private void Turn(DateTimeOffset time, List<HistoryEventRow> inputs)
    {
        if (inputs.Count == 0 && _late.Count == 0) return;
        execution.BeginTurn(time, replaying: true);
        var delivered = new List<HistoryEventRow>();
        var mapped = 0;
        foreach (var row in inputs)
        {
            Give(row, delivered);
            MapActions(ref mapped);
        }

        while (_late.TryDequeue(out var result))
        {
            Give(result, delivered);
            MapActions(ref mapped);
        }

        if (delivered.Count == 0) return;
        Add(new(0, HistoryEventKind.OrchestratorStarted, time));
        foreach (var row in delivered) Add(row with { Time = time });
        foreach (var action in execution.Actions)
        {
            var sequence = Add(action.Row);
            if (_open.TryGetValue(action.Row.TaskId, out var open)) _open[action.Row.TaskId] = open with { Sequence = sequence };
            else if (action.Row.Kind == HistoryEventKind.EventSent && !_seen.Contains(action.Row.TaskId)) change.EventsSent.Add(action.Row);
        }
    }

    private void Give(HistoryEventRow row, List<HistoryEventRow> delivered)
    {
        if (OrchestrationExecution.IsResult(row.Kind))
        {
            if (!_taskIds.TryGetValue(row.TaskId, out var taskId))
            {
                _passed.Add(row.Sequence);
                return;
            }

            row = row with { TaskId = taskId };
        }

        if (!execution.Deliver(row)) return;
        if (OrchestrationExecution.IsResult(row.Kind)) _open.Remove(row.TaskId);
        delivered.Add(row);
    }

    /// <summary>Finds out which of the old calls the new ones are.</summary>
    private void MapActions(ref int mapped)
    {
        for (; mapped < execution.Actions.Count; mapped++)
        {
            var action = execution.Actions[mapped];
            var old = _oldCalls.TryGetValue(What(action.Row), out var calls) && calls.Count > 0 ? Choose(calls) : null;
            if (old is not null) _seen.Add(action.Row.TaskId);
            if (action.Row.Kind == HistoryEventKind.EventSent) continue;
            _open[action.Row.TaskId] = (action, 0, old);
            if (old is null) continue;
            _taskIds[old.TaskId] = action.Row.TaskId;
            if (_oldResults.TryGetValue(old.TaskId, out var result) && _passed.Contains(result.Sequence)) _late.Enqueue(result);
        }
    }

    /// <summary>One that has a result, if there is one: of several attempts that is the last.</summary>
    private HistoryEventRow Choose(Queue<HistoryEventRow> calls)
    {
        if (calls.Any(c => _oldResults.ContainsKey(c.TaskId)))
            while (!_oldResults.ContainsKey(calls.Peek().TaskId)) calls.Enqueue(calls.Dequeue());
        return calls.Dequeue();
    }

    private long Add(HistoryEventRow row)
    {
        var sequence = change.Rows.Count + 1;
        change.Rows.Add(row with { Sequence = sequence });
        return sequence;
    }

    /// <summary>What has no result is begun again.</summary>
    private void Reopen()
    {
        foreach (var (taskId, (action, sequence, old)) in _open)
        {
            switch (action.Row.Kind)
            {
                case HistoryEventKind.TaskScheduled:
                    change.NewWork.Add((taskId, sequence));
                    break;
                case HistoryEventKind.TimerCreated:
                    change.NewTimers.Add((taskId, action.Due));
                    break;
                default:
                    var child = old is null ? null : reader.Find(old.Detail!);
                    var goesOn = child?.ParentKey == change.Instance.Key
                        && (!child.HasEnded || child.Status == OrchestrationRuntimeStatus.Failed);
                    if (goesOn) change.Adopted.Add((child!.Key, taskId, child.HasEnded));
                    else change.SubOrchestrations.Add(NewSubOrchestration.From(action));
                    break;
            }
        }
    }
}
