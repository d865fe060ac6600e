using DurableTask.Core.Exceptions;
using FunctionsBackup.SelfHosting.Engine.Execution;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using FunctionsBackup.SelfHosting.Engine.Storage;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>One turn as one change of the state file: what came, what the orchestrator did, and what follows for others.</summary>
internal sealed class TurnChange(InstanceRunner runner, InstanceRow instance, DateTimeOffset now) : StateChange
{
    public InstanceRow Instance { get; } = instance;

    public DateTimeOffset Now { get; } = now;

    /// <summary>Inbox ids of messages that are done with.</summary>
    public List<long> Consumed { get; } = [];

    /// <summary>New rows, with their sequence numbers.</summary>
    public List<HistoryEventRow> Rows { get; } = [];

    public List<(long TaskId, long Sequence)> NewWork { get; } = [];

    public List<long> DoneWork { get; } = [];

    public List<(long TaskId, DateTimeOffset Due)> NewTimers { get; } = [];

    /// <summary>Timers that fired.</summary>
    public List<long> DoneTimers { get; } = [];

    public IReadOnlyList<long> CancelledTimers { get; set; } = [];

    public List<NewSubOrchestration> SubOrchestrations { get; } = [];

    public List<HistoryEventRow> EventsSent { get; } = [];

    /// <summary>Null: unchanged.</summary>
    public OrchestrationRuntimeStatus? Status { get; set; }

    /// <summary>Null: it did not start in this turn.</summary>
    public (string Version, string? Input)? Started { get; set; }

    public bool CustomStatusChanged { get; set; }

    public string? CustomStatus { get; set; }

    public (string? Output, FailureData? Failure)? End { get; set; }

    public bool TerminatesChildren { get; set; }

    /// <summary>The next run, if it continued as new.</summary>
    public NextRun? Next { get; set; }

    /// <summary>Whether older rows go: a rewound history is written anew.</summary>
    public bool ReplacesHistory { get; set; }

    /// <summary>Children that go on for calls of a rewound history: their keys and the calls' new numbers.</summary>
    public List<(long Key, long TaskId, bool Rewind)> Adopted { get; } = [];

    /// <summary>The instance was removed meanwhile: nothing was written.</summary>
    public bool IsAbandoned { get; private set; }

    public bool IsEmpty => Consumed.Count == 0 && Rows.Count == 0 && DoneWork.Count == 0 && DoneTimers.Count == 0 && Status is null;

    public override void Apply(StateTables tables)
    {
        var key = Instance.Key;
        foreach (var id in Consumed) tables.RemoveMessage(id);
        if (!tables.Exists(key))
        {
            IsAbandoned = true;
            return;
        }

        if (ReplacesHistory)
        {
            tables.ClearHistory(key);
            tables.ClearTasks(key);
        }

        foreach (var row in Rows) tables.AddHistory(key, row);
        foreach (var taskId in DoneWork) tables.RemoveWork(key, taskId);
        foreach (var (taskId, sequence) in NewWork) tables.AddWork(key, taskId, sequence);
        foreach (var (taskId, due) in NewTimers) tables.AddTimer(key, taskId, due);
        foreach (var taskId in DoneTimers.Concat(CancelledTimers)) tables.RemoveTimer(key, taskId);
        foreach (var sub in SubOrchestrations) Create(tables, sub);
        foreach (var sent in EventsSent) Send(tables, sent);
        foreach (var child in Adopted) Adopt(tables, child.Key, child.TaskId, child.Rewind);
        if (Started is { } started) tables.SetStarted(key, started.Version, started.Input);
        if (CustomStatusChanged) tables.SetCustomStatus(key, CustomStatus);
        if (Next is not null) Continue(tables, Next);
        if (Status is { } status) tables.SetStatus(key, status, Now);
        if (End is { } end) Finish(tables, end.Output, end.Failure);
    }

    public override void Committed() => runner.Committed(this);

    public override void Failed(Exception exception)
    {
        // The writer tells the worker, which stops.
    }

    private void Create(StateTables tables, NewSubOrchestration sub)
    {
        if (tables.Find(sub.InstanceId) is { } existing)
        {
            if (!existing.HasEnded)
            {
                var failure = new FailureData(
                    typeof(OrchestrationAlreadyExistsException).FullName!, $"An instance '{sub.InstanceId}' exists and has not ended.");
                tables.AddMessage(new(Instance.Key, HistoryEventKind.SubOrchestrationFailed, 0, sub.TaskId, Data: failure.ToJson()));
                return;
            }

            tables.RemoveInstance(existing.Key);
        }

        var tags = sub.Tags is { Count: > 0 } ? Payload.Serialize(sub.Tags, int.MaxValue, "Tags") : null;
        var child = tables.AddInstance(sub.InstanceId, sub.Name, sub.Version, Now, sub.Input, tags, Instance.Key, sub.TaskId);
        tables.AddMessage(new(child, HistoryEventKind.ExecutionStarted, 0, -1, sub.Name, sub.Version, sub.Input));
    }

    private static void Send(StateTables tables, HistoryEventRow sent)
    {
        if (tables.Find(sent.Detail!) is { HasEnded: false } receiver)
            tables.AddMessage(new(receiver.Key, HistoryEventKind.EventRaised, 0, -1, sent.Name, null, sent.Data));
    }

    private void Adopt(StateTables tables, long child, long taskId, bool rewind)
    {
        tables.SetParentTask(child, taskId);
        if (!rewind) return;
        tables.SetStatus(child, OrchestrationRuntimeStatus.Pending, Now);
        tables.SetEnd(child, null, null);
        tables.AddMessage(new(child, HistoryEventKind.ExecutionRewound));
    }

    /// <summary>The next run begins with an empty history; events that were not waited for come before those that come later.</summary>
    private void Continue(StateTables tables, NextRun next)
    {
        tables.ClearHistory(Instance.Key);
        tables.AddMessage(new(Instance.Key, HistoryEventKind.ExecutionStarted, 0, -1, Instance.Name, next.Version, next.Input));
        foreach (var kept in next.Events) tables.AddMessage(kept);
    }

    private void Finish(StateTables tables, string? output, FailureData? failure)
    {
        tables.SetEnd(Instance.Key, output, failure?.ToJson());
        tables.ClearTasks(Instance.Key);
        if (TerminatesChildren)
        {
            foreach (var child in tables.Children(Instance.Key).Where(c => !c.HasEnded))
                tables.AddMessage(new(child.Key, HistoryEventKind.ExecutionTerminated, 0, -1, null, "recursive", output));
        }

        if (Instance.ParentKey is not { } parent || !tables.Exists(parent)) return;
        var completed = Status == OrchestrationRuntimeStatus.Completed;
        failure ??= new("Terminated", $"The sub-orchestration '{Instance.InstanceId}' was terminated.");
        var data = completed ? output : failure.ToJson();
        var kind = completed ? HistoryEventKind.SubOrchestrationCompleted : HistoryEventKind.SubOrchestrationFailed;
        tables.AddMessage(new(parent, kind, 0, tables.Find(Instance.Key)!.ParentTask!.Value, Data: data));
    }
}

/// <summary>A sub-orchestration that is to be started.</summary>
internal sealed record NewSubOrchestration(
    long TaskId, string Name, string InstanceId, string? Version, string? Input, IDictionary<string, string>? Tags)
{
    public static NewSubOrchestration From(TurnAction action) =>
        new(action.Row.TaskId, action.Row.Name!, action.Row.Detail!, action.Version, action.Row.Data, action.Tags);
}

/// <summary>How an instance goes on as new.</summary>
internal sealed record NextRun(string Version, string? Input, IReadOnlyList<Message> Events);
