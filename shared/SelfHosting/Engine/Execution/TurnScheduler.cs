namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>
/// Where an orchestrator's code runs: on one thread at a time, and only within a turn. All its continuations queue here, so their order
/// depends on nothing but the order of events. What comes from another thread, or between turns, was caused by something that is not
/// durable.
/// </summary>
internal sealed class TurnScheduler : TaskScheduler
{
    private readonly Queue<Task> _queue = new();
    private readonly TurnSynchronizationContext _context;
    private readonly Action<string?> _intruded;
    private int _thread;

    /// <param name="intruded">
    /// Told of a continuation from elsewhere, with the method that it belongs to, as far as that is known; any thread.
    /// </param>
    public TurnScheduler(Action<string?> intruded)
    {
        _intruded = intruded;
        _context = new(this);
    }

    public override int MaximumConcurrencyLevel => 1;

    /// <summary>Whether the caller is the orchestrator's code, where it belongs.</summary>
    public bool IsInTurn => _thread == Environment.CurrentManagedThreadId;

    /// <summary>Runs <paramref name="step"/> and all that follows from it.</summary>
    public void Run(Action step)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(_context);
        _thread = Environment.CurrentManagedThreadId;
        try
        {
            var first = new Task(step);
            first.RunSynchronously(this);
            while (_queue.TryDequeue(out var task)) TryExecuteTask(task);
            first.GetAwaiter().GetResult();
        }
        finally
        {
            _thread = 0;
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    protected override void QueueTask(Task task)
    {
        if (IsInTurn) _queue.Enqueue(task);
        else _intruded(null);
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        IsInTurn && !taskWasPreviouslyQueued && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => _queue;

    private void Post(SendOrPostCallback callback, object? state)
    {
        if (IsInTurn) new Task(() => callback(state)).Start(this);
        else _intruded(MethodOf(state));
    }

    /// <summary>The asynchronous method whose continuation <paramref name="state"/> is; compiled, it is named &lt;Method&gt;d__1.</summary>
    private static string? MethodOf(object? state)
    {
        if ((state as Delegate)?.Target?.GetType() is not { IsGenericType: true } box) return null;
        var machine = box.GetGenericArguments().FirstOrDefault(t => t.Name.StartsWith('<') && t.Name.Contains('>'));
        return machine is null ? null : $"{machine.DeclaringType?.Name}.{machine.Name[1..machine.Name.IndexOf('>')]}";
    }

    private sealed class TurnSynchronizationContext(TurnScheduler scheduler) : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state) => scheduler.Post(d, state);

        public override void Send(SendOrPostCallback d, object? state)
        {
            if (scheduler.IsInTurn) d(state);
            else scheduler._intruded(MethodOf(state));
        }

        public override SynchronizationContext CreateCopy() => this;
    }
}
