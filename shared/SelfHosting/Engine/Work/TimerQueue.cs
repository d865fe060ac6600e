using FunctionsBackup.SelfHosting.Engine.Storage;

namespace FunctionsBackup.SelfHosting.Engine.Work;

/// <summary>Messages that are due later: timers, and starts at a given time.</summary>
internal sealed class TimerQueue : IDisposable
{
    /// <summary>The clock may be set, so nothing is waited for longer at once.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromHours(1);

    private readonly TimeProvider _time;
    private readonly Action<Message> _fire;
    private readonly PriorityQueue<Message, (long Due, long Order)> _queue = new();
    private readonly HashSet<(long Instance, long TaskId)> _cancelled = [];
    private readonly ITimer _timer;
    private long _order;
    private long _armedFor = long.MaxValue;

    public TimerQueue(TimeProvider time, Action<Message> fire)
    {
        _time = time;
        _fire = fire;
        _timer = time.CreateTimer(_ => Check(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public void Add(Message message)
    {
        lock (_queue)
        {
            _queue.Enqueue(message, (message.Due!.Value.UtcTicks, _order++));
            if (message.Due.Value.UtcTicks < _armedFor) Arm();
        }
    }

    public void Cancel(long instance, long taskId)
    {
        lock (_queue)
        {
            if (_queue.Count == 0) return;
            _cancelled.Add((instance, taskId));
            if (_cancelled.Count > 1000 && _cancelled.Count > _queue.Count / 2) Compact();
        }
    }

    /// <summary>Fires what is due. Any thread.</summary>
    public void Check()
    {
        List<Message>? due = null;
        lock (_queue)
        {
            var now = _time.GetUtcNow().UtcTicks;
            while (_queue.TryPeek(out var message, out var at) && at.Due <= now)
            {
                _queue.Dequeue();
                if (!_cancelled.Remove((message.Instance, message.TaskId))) (due ??= []).Add(message);
            }

            if (due is not null || _armedFor <= now) Arm();
        }

        if (due is null) return;
        foreach (var message in due) _fire(message);
    }

    public void Dispose() => _timer.Dispose();

    private void Arm()
    {
        if (!_queue.TryPeek(out _, out var at))
        {
            _armedFor = long.MaxValue;
            return;
        }

        var wait = new TimeSpan(Math.Max(at.Due - _time.GetUtcNow().UtcTicks, 0));
        if (wait > LongestWait) wait = LongestWait;
        // Timers may be early by less than a millisecond.
        wait += TimeSpan.FromTicks(TimeSpan.TicksPerMillisecond - 1) - new TimeSpan(wait.Ticks % TimeSpan.TicksPerMillisecond);
        _armedFor = at.Due;
        _timer.Change(new TimeSpan(wait.Ticks / TimeSpan.TicksPerMillisecond * TimeSpan.TicksPerMillisecond), Timeout.InfiniteTimeSpan);
    }

    private void Compact()
    {
        var kept = _queue.UnorderedItems.Where(i => !_cancelled.Contains((i.Element.Instance, i.Element.TaskId))).ToList();
        _queue.Clear();
        foreach (var (message, at) in kept) _queue.Enqueue(message, at);
        _cancelled.Clear();
    }
}
