using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace FunctionsBackup.SelfHosting.Engine.Storage;

/// <summary>
/// The only one in this process that changes the state file: a thread that commits all changes that have gathered in one transaction, so
/// that many of them cost one synchronization of the disk.
/// </summary>
internal sealed class StateWriter : IDisposable
{
    private const int LargestBatch = 512;

    /// <summary>How often the changes of other processes are looked for.</summary>
    private static readonly TimeSpan PollInterval = TimeSpan.FromMilliseconds(100);

    private readonly StateFile _file;
    private readonly StateTables _tables;
    private readonly Queue<StateChange> _queue = new();
    private readonly Thread _thread;
    private volatile IStateObserver? _observer;
    private long _dataVersion = -1;
    private long _lastPoll;
    private bool _closing;

    public StateWriter(StateFile file)
    {
        _file = file;
        _tables = new StateTables(file.Connect());
        _thread = new Thread(Run) { IsBackground = true, Name = "Durable state writer" };
        _thread.Start();
    }

    /// <summary>Set by a change that is applied, so that nothing is seen twice or missed.</summary>
    public IStateObserver? Observer
    {
        set
        {
            lock (_queue)
            {
                _observer = value;
                Monitor.Pulse(_queue);
            }
        }
    }

    public void Enqueue(StateChange change)
    {
        lock (_queue)
        {
            if (!_closing)
            {
                _queue.Enqueue(change);
                if (_queue.Count == 1) Monitor.Pulse(_queue);
                return;
            }
        }

        change.Failed(new ObjectDisposedException(nameof(StateWriter), "The engine was closed."));
    }

    /// <summary>Completes when <paramref name="change"/> is durable; what it throws is thrown here, and nothing of it stays.</summary>
    public Task<T> RunAsync<T>(Func<StateTables, T> change)
    {
        var operation = new Operation<T>(change);
        Enqueue(operation);
        return operation.Task;
    }

    /// <summary>Commits what is queued and ends the thread.</summary>
    public void Dispose()
    {
        lock (_queue)
        {
            _closing = true;
            Monitor.Pulse(_queue);
        }

        if (Thread.CurrentThread != _thread) _thread.Join();
    }

    private void Run()
    {
        var batch = new List<StateChange>();
        while (Next(batch))
        {
            if (batch.Count > 0)
            {
                try
                {
                    Commit(batch);
                }
                catch (Exception e)
                {
                    var failure = e is SqliteException sqlite ? StateFileException.From(sqlite, _file.Path) : e;
                    foreach (var change in batch) change.Failed(failure);
                    _observer?.WriterFailed(failure);
                    batch.Clear();
                    continue;
                }

                foreach (var change in batch) TellCommitted(change);
                batch.Clear();
            }

            Observe();
        }

        _tables.Dispose();
    }

    private bool Next(List<StateChange> batch)
    {
        lock (_queue)
        {
            while (_queue.Count == 0)
            {
                if (_closing) return false;
                // Who only asks has no use for other processes' changes.
                if (_observer is null)
                {
                    Monitor.Wait(_queue);
                }
                else if (!Monitor.Wait(_queue, PollInterval))
                {
                    return true;
                }
            }

            while (batch.Count < LargestBatch && _queue.TryDequeue(out var change)) batch.Add(change);
            return true;
        }
    }

    private void Commit(List<StateChange> batch)
    {
        _tables.Run("BEGIN IMMEDIATE");
        try
        {
            foreach (var change in batch) change.Apply(_tables);
            _tables.Run("COMMIT");
        }
        catch
        {
            try
            {
                _tables.Run("ROLLBACK");
            }
            catch (SqliteException)
            {
                // SQLite has rolled back by itself, as it does when the disk is full.
            }

            throw;
        }
    }

    /// <summary>What follows from a commit must not end the thread that everybody needs.</summary>
    private void TellCommitted(StateChange change)
    {
        try
        {
            change.Committed();
        }
#pragma warning disable CA1031 // Becomes the worker's end, with the reason.
        catch (Exception e)
#pragma warning restore CA1031
        {
            _observer?.WriterFailed(e);
        }
    }

    private void Observe()
    {
        if (_observer is not { } observer) return;
        try
        {
            if (Stopwatch.GetElapsedTime(_lastPoll) >= PollInterval)
            {
                _lastPoll = Stopwatch.GetTimestamp();
                var version = _tables.DataVersion();
                if (version != _dataVersion) _tables.InboxChanged = true;
                _dataVersion = version;
                observer.Tick();
            }

            if (!_tables.InboxChanged) return;
            _tables.InboxChanged = false;
            observer.InboxChanged(_tables);
        }
        catch (SqliteException e)
        {
            observer.WriterFailed(StateFileException.From(e, _file.Path));
        }
    }

    /// <summary>A change that can be refused alone.</summary>
    private sealed class Operation<T>(Func<StateTables, T> change) : StateChange
    {
        private readonly TaskCompletionSource<T> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private T? _result;
        private Exception? _refusal;

        public Task<T> Task => _done.Task;

        public override void Apply(StateTables tables)
        {
            tables.Run("SAVEPOINT operation");
            try
            {
                _result = change(tables);
                tables.Run("RELEASE operation");
            }
            catch (Exception e) when (e is not SqliteException)
            {
                tables.Run("ROLLBACK TO operation");
                tables.Run("RELEASE operation");
                _refusal = e;
            }
        }

        public override void Committed()
        {
            if (_refusal is null) _done.SetResult(_result!);
            else _done.SetException(_refusal);
        }

        public override void Failed(Exception exception) => _done.SetException(exception);
    }
}
