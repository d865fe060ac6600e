using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Payloads;

namespace FunctionsBackup.SelfHosting.Engine.Execution;

/// <summary>
/// External events and who waits for them, by name without regard to case. An event goes to the newest waiter that still waits; without
/// one it is kept, and the oldest kept one goes to the next waiter.
/// </summary>
internal sealed class EventWaiters
{
    private readonly Dictionary<string, List<Waiter>> _waiters = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<HistoryEventRow> _kept = [];

    public bool HasWaiters => _waiters.Values.Any(w => w.Exists(waiter => !waiter.IsDone));

    /// <summary>Events that nobody waited for, oldest first.</summary>
    public IReadOnlyList<HistoryEventRow> Kept => _kept;

    public Task<T> Wait<T>(string name, CancellationToken cancellationToken)
    {
        if (_waiters.TryGetValue(name, out var waiters))
        {
            waiters.RemoveAll(w => w.IsDone);
            if (waiters is [.., var other] && other.Type != typeof(T))
            {
                throw new ArgumentException(
                    $"Events of one name must have one type: '{name}' is awaited as {other.Type}, and now as {typeof(T)}.");
            }
        }
        else
        {
            _waiters[name] = waiters = [];
        }

        var early = _kept.FindIndex(e => string.Equals(e.Name, name, StringComparison.OrdinalIgnoreCase));
        if (early >= 0)
        {
            var value = Read<T>(name, _kept[early].Data);
            _kept.RemoveAt(early);
            return Task.FromResult(value);
        }

        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var waiter = new Waiter<T>(cancellationToken);
        waiters.Add(waiter);
        return waiter.Task;
    }

    public void Raise(HistoryEventRow raised)
    {
        if (_waiters.TryGetValue(raised.Name!, out var waiters))
        {
            waiters.RemoveAll(w => w.IsDone);
            if (waiters is [.., var newest])
            {
                waiters.RemoveAt(waiters.Count - 1);
                newest.Complete(raised.Name!, raised.Data);
                return;
            }
        }

        _kept.Add(raised);
    }

    /// <exception cref="InvalidOperationException">There is no payload, and no null of the type.</exception>
    private static T Read<T>(string name, string? json) => json is null && default(T) is not null
        ? throw new InvalidOperationException($"The event '{name}' came without a payload; a {typeof(T)} is awaited.")
        : Payload.Deserialize<T>(json)!;

    private abstract class Waiter(Type type)
    {
        public Type Type { get; } = type;

        public abstract bool IsDone { get; }

        public abstract void Complete(string name, string? json);
    }

    private sealed class Waiter<T> : Waiter
    {
        private readonly TaskCompletionSource<T> _source = new();
        private readonly CancellationTokenRegistration _cancellation;

        public Waiter(CancellationToken cancellationToken)
            : base(typeof(T)) => _cancellation = cancellationToken.Register(() => _source.TrySetCanceled(cancellationToken));

        public override bool IsDone => _source.Task.IsCompleted;

        public Task<T> Task => _source.Task;

        public override void Complete(string name, string? json)
        {
            _cancellation.Unregister();
            try
            {
                _source.TrySetResult(Read<T>(name, json));
            }
            catch (Exception e) when (e is System.Text.Json.JsonException or InvalidOperationException)
            {
                // The orchestrator is told at the place where it waits.
                _source.TrySetException(e);
            }
        }
    }
}
