using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;
using Microsoft.DurableTask;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>What the code did.</summary>
/// <param name="Row">As it goes into the history.</param>
/// <param name="Version">Of a sub-orchestration; null: none was asked for.</param>
/// <param name="Due">Of a timer.</param>
/// <param name="Tags">Of a sub-orchestration.</param>
internal sealed record TurnAction(
    HistoryEventRow Row, string? Version = null, DateTimeOffset Due = default, IDictionary<string, string>? Tags = null);

/// <summary>How a turn left the orchestrator.</summary>
internal enum TurnEnd
{
    /// <summary>It waits for something.</summary>
    Waiting,
    Completed,
    Failed,
    ContinuedAsNew,
}

/// <summary>What a turn came to.</summary>
/// <param name="End">How it left the orchestrator.</param>
/// <param name="Actions">New ones, in order.</param>
/// <param name="CancelledTimers">Task ids.</param>
internal sealed record TurnOutcome(TurnEnd End, IReadOnlyList<TurnAction> Actions, IReadOnlyList<long> CancelledTimers)
{
    /// <summary>JSON of the result, or of the next run's input.</summary>
    public string? Output { get; init; }

    public FailureData? Failure { get; init; }

    /// <summary>Of the next run; null: the same.</summary>
    public string? NewVersion { get; init; }

    /// <summary>Events that nobody waited for, for the next run.</summary>
    public IReadOnlyList<HistoryEventRow> CarriedEvents { get; init; } = [];
}

/// <summary>Who an orchestrator is.</summary>
internal sealed record ExecutionIdentity(string InstanceId, string Name, string Version, ParentOrchestrationInstance? Parent);
