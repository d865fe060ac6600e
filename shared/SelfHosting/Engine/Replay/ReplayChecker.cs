using FunctionsBackup.SelfHosting.Engine.Execution;
using FunctionsBackup.SelfHosting.Engine.History;
using Microsoft.DurableTask;
using Microsoft.Extensions.Logging.Abstractions;

namespace FunctionsBackup.SelfHosting.Engine.Replay;

/// <summary>
/// Runs the present code of an orchestrator over a recorded history, without running activities, and tells the first step that differs:
/// proof that instances that are under way survive a change of the code.
/// </summary>
public static class ReplayChecker
{
    /// <param name="history">That <see cref="DurableEngine.ExportHistoryAsync"/> gave.</param>
    /// <param name="registry">With the orchestrator; activities are not needed.</param>
    /// <param name="compareInputs">Whether the inputs of calls and the result must be the same, too.</param>
    /// <returns>Null: it does the same. Otherwise the first difference.</returns>
    /// <exception cref="ArgumentException">The orchestrator is not registered in that version, or the history has no beginning.</exception>
    public static ReplayDifference? Check(RecordedHistory history, TaskRegistry registry, bool compareInputs = true)
    {
        ArgumentNullException.ThrowIfNull(history);
        ArgumentNullException.ThrowIfNull(registry);
        var start = history.Rows.FirstOrDefault(r => r.Kind == HistoryEventKind.ExecutionStarted)
            ?? throw new ArgumentException($"The history of '{history.InstanceId}' has no beginning.", nameof(history));
        var code = registry.FindOrchestrator(history.Name, start.Detail)
            ?? throw new ArgumentException(registry.ExplainMissing(history.Name, start.Detail), nameof(registry));
        var parent = history.ParentName is { } name ? new ParentOrchestrationInstance(name, history.ParentInstanceId!) : null;
        var execution = new OrchestrationExecution(
            new(history.InstanceId, history.Name, code.Version, parent), code.Run, NullLoggerFactory.Instance, int.MaxValue, () => { });
        try
        {
            new HistoryReplay(execution, compareInputs).Run(history.Rows);
        }
        catch (NonDeterministicOrchestrationException e)
        {
            return new(e.Step, e.Recorded, e.Done);
        }

        return CompareEnds(history.Rows[^1], execution.EndTurn(), compareInputs);
    }

    private static ReplayDifference? CompareEnds(HistoryEventRow last, TurnOutcome outcome, bool compareOutputs)
    {
        if (last.Kind != HistoryEventKind.ExecutionCompleted)
        {
            return outcome.End == TurnEnd.Waiting ? null
                : new(last.Sequence + 1, "nothing more: it waits", outcome.Failure is { } early ? $"it fails: {early.Message}" : "it ends");
        }

        if (last.Detail == "Terminated") return null;
        if (last.Detail != $"{outcome.End}")
            return new(last.Sequence, $"{last.Detail}", $"{outcome.End} {outcome.Failure?.Message}".TrimEnd());
        return compareOutputs && outcome.End == TurnEnd.Completed && last.Data != outcome.Output
            ? new(last.Sequence, $"the result {last.Data ?? "nothing"}", $"the result {outcome.Output ?? "nothing"}") : null;
    }
}

/// <summary>Where the code does something else.</summary>
/// <param name="Step">Sequence number in the history.</param>
/// <param name="Recorded">What the history has there.</param>
/// <param name="Done">What the code did.</param>
public sealed record ReplayDifference(long Step, string Recorded, string Done)
{
    public override string ToString() => $"step {Step}: the history has {Recorded}; the code: {Done}";
}
