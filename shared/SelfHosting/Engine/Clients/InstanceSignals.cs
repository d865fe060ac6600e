namespace FunctionsBackup.SelfHosting.Engine.Clients;

/// <summary>Wakes those in this process who wait for an instance to change.</summary>
internal sealed class InstanceSignals
{
    private readonly Dictionary<string, TaskCompletionSource> _waiters = new(StringComparer.Ordinal);

    /// <summary>Completes at the next <see cref="Pulse"/>. Ask before you look at the instance.</summary>
    public Task Next(string instanceId)
    {
        lock (_waiters)
        {
            if (!_waiters.TryGetValue(instanceId, out var waiter))
                _waiters[instanceId] = waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return waiter.Task;
        }
    }

    public void Pulse(string instanceId)
    {
        TaskCompletionSource? waiter;
        lock (_waiters) _waiters.Remove(instanceId, out waiter);
        waiter?.SetResult();
    }

    public void PulseAll()
    {
        List<TaskCompletionSource> all;
        lock (_waiters)
        {
            all = [.. _waiters.Values];
            _waiters.Clear();
        }

        foreach (var waiter in all) waiter.SetResult();
    }
}
