namespace FunctionsBackup.SelfHosting.Engine.History;

/// <summary>What a row of a history says. The numbers are stored: never change one.</summary>
public enum HistoryEventKind
{
    /// <summary>A turn of the orchestrator begins; its time is what the code sees as the current one.</summary>
    OrchestratorStarted = 1,

    /// <summary>Name, version (detail) and input (data) of the run.</summary>
    ExecutionStarted = 2,

    /// <summary>The code called an activity: name, input.</summary>
    TaskScheduled = 3,

    /// <summary>Its result.</summary>
    TaskCompleted = 4,

    /// <summary>Its failure.</summary>
    TaskFailed = 5,

    /// <summary>The code made a timer; data: when it fires.</summary>
    TimerCreated = 6,

    TimerFired = 7,

    /// <summary>The code called a sub-orchestration: name, instance id (detail), input.</summary>
    SubOrchestrationCreated = 8,

    SubOrchestrationCompleted = 9,

    SubOrchestrationFailed = 10,

    /// <summary>The code sent an event: its name, the receiver (detail), the payload.</summary>
    EventSent = 11,

    /// <summary>An event came: its name and payload; the task id is its number in the inbox.</summary>
    EventRaised = 12,

    /// <summary>Data: the reason.</summary>
    ExecutionSuspended = 13,

    /// <summary>Data: the reason.</summary>
    ExecutionResumed = 14,

    /// <summary>Data: the output that was asked for.</summary>
    ExecutionTerminated = 15,

    /// <summary>The end: the status (detail) and the output, or the failure, as data.</summary>
    ExecutionCompleted = 16,

    /// <summary>A failed instance goes on; data: the reason.</summary>
    ExecutionRewound = 17,

    /// <summary>Never in a history, only in the inbox: the instance was removed while it was running.</summary>
    InstanceRemoved = 18,
}
