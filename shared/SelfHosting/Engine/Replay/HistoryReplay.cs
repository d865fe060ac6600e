using FunctionsBackup.SelfHosting.Engine.Execution;
using FunctionsBackup.SelfHosting.Engine.History;

namespace FunctionsBackup.SelfHosting.Engine.Replay;

/// <summary>Brings a new <see cref="OrchestrationExecution"/> to where a history ends, and compares each step on the way.</summary>
/// <param name="execution">That has not begun.</param>
/// <param name="compareInputs">
/// Whether inputs must be the same, too. Durable Task compares kinds and names only, and so do running instances.
/// </param>
internal sealed class HistoryReplay(OrchestrationExecution execution, bool compareInputs = false)
{
    private int _matched;

    /// <exception cref="NonDeterministicOrchestrationException">The code does something else.</exception>
    public void Run(IEnumerable<HistoryEventRow> history)
    {
        HistoryEventRow? last = null;
        foreach (var row in history)
        {
            if (row.Kind == HistoryEventKind.OrchestratorStarted)
            {
                EndTurn(row);
                execution.BeginTurn(row.Time, replaying: true);
                _matched = 0;
            }
            else if (row.IsAction)
            {
                Match(row);
            }
            else if (row.Kind is HistoryEventKind.ExecutionCompleted or HistoryEventKind.ExecutionTerminated)
            {
                EndTurn(row);
            }
            else if (_matched < execution.Actions.Count && _matched > 0)
            {
                throw Differs(row, execution.Actions[_matched].Row.Describe());
            }
            else if (!execution.Deliver(row))
            {
                throw Differs(row, "nothing that it could be the end of");
            }

            last = row;
        }

        if (last is not null) EndTurn(last with { Sequence = last.Sequence + 1 }, "nothing more");
    }

    private void Match(HistoryEventRow row)
    {
        if (_matched >= execution.Actions.Count)
            throw Differs(row, execution.CodeHasEnded ? "nothing more: it has ended" : "nothing");
        var done = execution.Actions[_matched].Row;
        if (row.Kind != done.Kind || !string.Equals(row.Name, done.Name, StringComparison.OrdinalIgnoreCase))
            throw Differs(row, done.Describe());
        if (compareInputs && (row.Data != done.Data || row.Detail != done.Detail))
            throw Differs(row, $"{done.Describe()} with {done.Data ?? "nothing"} instead of {row.Data ?? "nothing"}");
        _matched++;
    }

    /// <summary>All that the code did in the turn must have been in the history.</summary>
    private void EndTurn(HistoryEventRow next, string? recorded = null)
    {
        if (_matched < execution.Actions.Count)
            throw Differs(next, execution.Actions[_matched].Row.Describe(), recorded ?? "nothing more in this turn");
    }

    private NonDeterministicOrchestrationException Differs(HistoryEventRow row, string done, string? recorded = null) =>
        new(execution.Identity.InstanceId, row.Sequence, recorded ?? row.Describe(), execution.Violation ?? done);
}
