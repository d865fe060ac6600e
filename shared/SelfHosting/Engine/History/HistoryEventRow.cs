namespace FunctionsBackup.SelfHosting.Engine.History;

/// <summary>One row of an instance's history, in the order in which things happened.</summary>
/// <param name="Sequence">From 1; the step's number.</param>
/// <param name="Kind">What happened; says what the other fields mean.</param>
/// <param name="Time">UTC.</param>
/// <param name="TaskId">Which call, timer or sub-orchestration; -1 where there is none.</param>
/// <param name="Name">Of the orchestrator, activity or event.</param>
/// <param name="Detail">Version, instance id or status, by kind.</param>
/// <param name="Data">JSON of an input, a result or a failure; a time; a reason.</param>
public sealed record HistoryEventRow(
    long Sequence, HistoryEventKind Kind, DateTimeOffset Time, long TaskId = -1, string? Name = null, string? Detail = null,
    string? Data = null)
{
    /// <summary>Whether the code did it, as opposed to what came to it.</summary>
    internal bool IsAction => Kind is HistoryEventKind.TaskScheduled or HistoryEventKind.TimerCreated
        or HistoryEventKind.SubOrchestrationCreated or HistoryEventKind.EventSent;

    /// <summary>In words, for messages.</summary>
    internal string Describe() => Kind switch
    {
        HistoryEventKind.TaskScheduled => $"a call of the activity '{Name}' (#{TaskId})",
        HistoryEventKind.TimerCreated => $"a timer (#{TaskId})",
        HistoryEventKind.SubOrchestrationCreated => $"a call of the sub-orchestration '{Name}' (#{TaskId})",
        HistoryEventKind.EventSent => $"the sending of the event '{Name}' (#{TaskId})",
        HistoryEventKind.EventRaised => $"the arrival of the event '{Name}'",
        HistoryEventKind.TaskCompleted or HistoryEventKind.TaskFailed => $"the end of the activity #{TaskId}",
        HistoryEventKind.SubOrchestrationCompleted or HistoryEventKind.SubOrchestrationFailed =>
            $"the end of the sub-orchestration #{TaskId}",
        HistoryEventKind.TimerFired => $"the firing of the timer #{TaskId}",
        HistoryEventKind.ExecutionStarted => $"the start of '{Name}'",
        HistoryEventKind.ExecutionCompleted => "the end of the orchestrator",
        _ => $"{Kind}",
    };
}
