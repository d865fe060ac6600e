using FunctionsBackup.SelfHosting.Engine.Clients;
using FunctionsBackup.SelfHosting.Engine.History;
using FunctionsBackup.SelfHosting.Engine.Replay;
using FunctionsBackup.SelfHosting.Engine.Storage;
using FunctionsBackup.SelfHosting.Engine.Work;
using Microsoft.DurableTask.Client;

namespace FunctionsBackup.SelfHosting.Engine;

/// <summary>
/// Durable orchestrations in one SQLite file, with the semantics of Durable Task. Any number of processes may open the file; one at a
/// time is the worker, the others are clients.
/// </summary>
public sealed class DurableEngine : IAsyncDisposable
{
    private readonly DurableEngineOptions _options;
    private readonly TaskRegistry _registry;
    private readonly StateWriter _writer;
    private readonly StateReader _reader;
    private readonly InstanceSignals _signals = new();
    private readonly Lock _gate = new();
    private readonly string _path;
    private EngineWorker? _worker;
    private bool _disposed;

    private DurableEngine(DurableEngineOptions options, TaskRegistry registry, StateFile file)
    {
        _options = options;
        _registry = registry;
        _path = file.Path;
        _writer = new(file);
        _reader = new(file);
        Client = new EmbeddedClient(options, _writer, _reader, _signals, () => _worker?.Completion.Exception?.InnerException);
    }

    public DurableTaskClient Client { get; }

    /// <summary>
    /// Completes when this process is not the worker (any more); fails with the reason when the work has ended by itself, as on a full
    /// disk.
    /// </summary>
    public Task WorkerCompletion => _worker?.Completion ?? Task.CompletedTask;

    /// <summary>For tests: how many are in memory.</summary>
    internal int LiveOrchestrators => _worker?.LiveOrchestrators ?? 0;

    /// <exception cref="StateFileException">The state file is damaged, of a newer version, or cannot be written.</exception>
    public static Task<DurableEngine> OpenAsync(DurableEngineOptions options, TaskRegistry registry, CancellationToken ct)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentException.ThrowIfNullOrWhiteSpace(options.DatabasePath, nameof(options));
        ArgumentNullException.ThrowIfNull(registry);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConcurrentActivities, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaxConcurrentOrchestrators, 1);
        ct.ThrowIfCancellationRequested();
        try
        {
            return Task.FromResult(new DurableEngine(options, registry, StateFile.Prepare(options.DatabasePath)));
        }
        catch (Microsoft.Data.Sqlite.SqliteException e)
        {
            throw StateFileException.From(e, options.DatabasePath);
        }
    }

    /// <summary>Becomes the worker. What was under way goes on.</summary>
    /// <returns>False: another process (or engine) is the worker.</returns>
    /// <exception cref="StateFileException">The lock beside the state file cannot be made.</exception>
    public bool TryStartWorker()
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_worker is { Completion.IsCompleted: false }) return true;
            if (WorkerLock.TryTake(_path) is not { } workerLock) return false;
            _worker = new(_options, _registry, _writer, _reader, _signals, workerLock);
            _worker.Start();
            return true;
        }
    }

    /// <summary>
    /// Begins nothing new; running activities get <see cref="DurableEngineOptions.StopGrace"/>, then their token is cancelled, and they run
    /// again after the next start. Does nothing if this is not the worker.
    /// </summary>
    /// <param name="ct">Cancels the running activities at once.</param>
    public async Task StopWorkerAsync(CancellationToken ct)
    {
        if (_worker is { } worker) await worker.StopAsync(ct).ConfigureAwait(false);
    }

    /// <summary>An instance's history in a form that can be kept, for <see cref="ReplayChecker"/>.</summary>
    /// <returns>Null: no such instance, or it has not begun.</returns>
    public Task<RecordedHistory?> ExportHistoryAsync(string instanceId, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        if (_reader.Find(instanceId) is not { } instance || _reader.History(instance.Key) is not { Count: > 0 } rows)
            return Task.FromResult<RecordedHistory?>(null);
        var parent = instance.ParentKey is { } key ? _reader.Find(key) : null;
        return Task.FromResult<RecordedHistory?>(
            new(instance.InstanceId, instance.Name, instance.Version ?? string.Empty, parent?.Name, parent?.InstanceId, rows));
    }

    /// <returns>The rows of the present run, oldest first; none for an unknown instance.</returns>
    public Task<IReadOnlyList<HistoryEventRow>> GetHistoryAsync(string instanceId, CancellationToken ct = default)
    {
        ct.ThrowIfCancellationRequested();
        IReadOnlyList<HistoryEventRow> rows = _reader.Find(instanceId) is { } instance ? _reader.History(instance.Key) : [];
        return Task.FromResult(rows);
    }

    /// <summary>For tests: lets the file grow no more, as a full disk does.</summary>
    internal Task LimitPagesAsync(int pages) => _writer.RunAsync(tables => tables.Run($"PRAGMA max_page_count = {pages}"));

    /// <summary>Stops the worker, cancelling its activities at once, and closes the file. Stop it before to give them time.</summary>
    public async ValueTask DisposeAsync()
    {
        lock (_gate)
        {
            if (_disposed) return;
            _disposed = true;
        }

        await StopWorkerAsync(new CancellationToken(true)).ConfigureAwait(false);
        _writer.Dispose();
        _reader.Dispose();
    }
}
