namespace FunctionsBackup.Storage;

/// <summary>
/// A few threads of their own for calls that block in the kernel (write, fsync, open on a slow mount): the thread pool stays free for work
/// that computes. Threads start when needed and end after some idle seconds. Work runs in the order of arrival.
/// </summary>
internal sealed class BlockingThreads(string name, int maximum)
{
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(5);

    private readonly object _gate = new();
    private readonly Queue<Action> _work = [];
    private int _threads, _waiting;

    /// <summary>
    /// Runs <paramref name="work"/>. The task ends only when the work has ended, so that buffers may be given back; a token that is
    /// cancelled before the work has begun keeps it from beginning.
    /// </summary>
    public Task<T> RunAsync<T>(Func<T> work, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return Task.FromCanceled<T>(cancellationToken);
        var completion = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        Enqueue(() =>
        {
            try
            {
                cancellationToken.ThrowIfCancellationRequested();
                completion.SetResult(work());
            }
            catch (OperationCanceledException e) when (e.CancellationToken == cancellationToken)
            {
                completion.SetCanceled(cancellationToken);
            }
            catch (Exception e)
            {
                completion.SetException(e);
            }
        });
        return completion.Task;
    }

    private void Enqueue(Action action)
    {
        lock (_gate)
        {
            _work.Enqueue(action);
            if (_waiting >= _work.Count)
            {
                Monitor.Pulse(_gate);
                return;
            }

            if (_threads == maximum) return;
            _threads++;
        }

        new Thread(Serve) { IsBackground = true, Name = name }.Start();
    }

    private void Serve()
    {
        while (Next() is { } action) action();
    }

    /// <summary>Waits for work; null after idle seconds: the thread ends.</summary>
    private Action? Next()
    {
        lock (_gate)
        {
            while (_work.Count == 0)
            {
                _waiting++;
                var pulsed = Monitor.Wait(_gate, Idle);
                _waiting--;
                if (pulsed || _work.Count > 0) continue;
                _threads--;
                return null;
            }

            return _work.Dequeue();
        }
    }
}
