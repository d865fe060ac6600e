using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Storage;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>
/// An instance while it is in memory: its mailbox and its turns. At most one turn is under way; the next one takes all that came meanwhile,
/// after the commit of the one before.
/// </summary>
internal sealed class InstanceRunner(EngineWorker worker, long key)
{
    /// <summary>Messages that one turn takes.</summary>
    private const int LargestTurn = 4096;

    private readonly Lock _gate = new();
    private readonly InstanceTurns _turns = new(worker, key);
    private List<Message> _mailbox = [];
    private State _state;

    private enum State
    {
        Idle,
        Queued,
        Busy,

        /// <summary>Its code is not here; only its end can go on.</summary>
        Stalled,

        /// <summary>No longer the runner of its instance.</summary>
        Retired,
    }

    public long Key { get; } = key;

    /// <summary>For eviction: ticks of <see cref="Environment.TickCount64"/>.</summary>
    public long LastUsed { get; private set; } = Environment.TickCount64;

    /// <returns>False: it has retired, another runner must take the message.</returns>
    public bool Post(Message message)
    {
        lock (_gate)
        {
            if (_state == State.Retired) return false;
            _mailbox.Add(message);
            if (!IsRunnable()) return true;
            _state = State.Queued;
        }

        worker.Schedule(this);
        return true;
    }

    /// <summary>Leaves memory, if it has nothing to do; the next message replays it.</summary>
    public bool TryRetire()
    {
        lock (_gate)
        {
            if (_state != State.Idle || _mailbox.Count > 0) return false;
            _state = State.Retired;
            return true;
        }
    }

    /// <summary>One turn; called for a runner that was scheduled.</summary>
    public void RunTurn()
    {
        List<Message> batch;
        lock (_gate)
        {
            _state = State.Busy;
            if (_mailbox.Count <= LargestTurn)
            {
                (batch, _mailbox) = (_mailbox, []);
            }
            else
            {
                batch = _mailbox.GetRange(0, LargestTurn);
                _mailbox.RemoveRange(0, LargestTurn);
            }
        }

        var (result, change) = TryTurn(batch);
        switch (result)
        {
            case TurnResult.Commit:
                worker.Writer.Enqueue(change!);
                break;
            case TurnResult.Nothing:
                Release([], State.Idle);
                break;
            case TurnResult.Early: // not before it was started
                Release(batch, State.Idle);
                break;
            case TurnResult.Gone:
                worker.Activities.Cancel(Key);
                Retire();
                break;
            case TurnResult.NoCode:
                Release(batch, State.Stalled);
                break;
        }
    }

    /// <summary>A turn that cannot be made must not stop the other instances.</summary>
    private (TurnResult Result, TurnChange? Change) TryTurn(List<Message> batch)
    {
        try
        {
            return _turns.Run(this, [.. batch]);
        }
        catch (Exception e) when (e is not StateFileException)
        {
            worker.LogBrokenTurn(e, Key);
            _turns.Forget();
            return (TurnResult.NoCode, null);
        }
    }

    /// <summary>Called by the writer after the commit of a turn.</summary>
    public void Committed(TurnChange change)
    {
        if (change.IsAbandoned || change.Status is { } status && InstanceRow.HasEndedIn(status) || change.Instance.HasEnded)
        {
            worker.Activities.Cancel(Key);
            Retire();
            worker.Signals.Pulse(change.Instance.InstanceId);
            return;
        }

        _turns.Committed(change);
        foreach (var taskId in change.CancelledTimers) worker.Timers.Cancel(Key, taskId);
        foreach (var (taskId, due) in change.NewTimers)
            worker.Timers.Add(new(Key, HistoryEventKind.TimerFired, 0, taskId, Due: due));
        if (change.NewWork.Count > 0)
        {
            // Rows of a turn are consecutive.
            var first = change.Rows[0].Sequence;
            foreach (var (taskId, sequence) in change.NewWork)
            {
                var row = change.Rows[(int)(sequence - first)];
                worker.Activities.Enqueue(new(Key, change.Instance.InstanceId, taskId, row.Name!, row.Data));
            }
        }

        worker.Signals.Pulse(change.Instance.InstanceId);
        Release(change.Next?.Events ?? [], State.Idle);
    }

    /// <summary>The turn is over.</summary>
    /// <param name="first">Messages for the next one, before those that have come meanwhile.</param>
    /// <param name="state">What it is, unless it has something to do.</param>
    private void Release(IReadOnlyList<Message> first, State state)
    {
        bool again;
        lock (_gate)
        {
            LastUsed = Environment.TickCount64;
            if (first.Count > 0) _mailbox.InsertRange(0, first);
            _state = state;
            again = IsRunnable();
            if (again) _state = State.Queued;
        }

        if (again) worker.Schedule(this);
        else if (worker.Options.MaxLiveOrchestrators == 0 && TryRetire()) worker.Forget(this);
        worker.Idle();
    }

    private void Retire()
    {
        List<Message> rest;
        lock (_gate)
        {
            _state = State.Retired;
            rest = _mailbox;
            _mailbox = [];
        }

        worker.Forget(this);
        foreach (var message in rest) worker.Deliver(message);
        worker.Idle();
    }

    private bool IsRunnable() => _state switch
    {
        State.Idle => _mailbox.Count > 0 && (!_turns.AwaitsStart || _mailbox.Exists(m => InstanceTurns.Starts(m.Kind))),
        State.Stalled => _mailbox.Exists(m => m.Kind is HistoryEventKind.ExecutionTerminated or HistoryEventKind.InstanceRemoved),
        _ => false,
    };
}
