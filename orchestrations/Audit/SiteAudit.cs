using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Operations.Metrics;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository.Audit;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>
/// The log of a site: entries go to a folder of this machine first, and from there to the repository; in a host soon after, in a command
/// when it ends. Whatever fails, fails nothing else: entries wait, somebody is warned, and what could not even be kept here is counted and
/// the count is recorded.
/// </summary>
public sealed class SiteAudit : IAuditLog, IAsyncDisposable
{
    /// <summary>A store that does not answer holds nobody up for longer.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>When writing has failed, it is tried again after this, or with the next entry.</summary>
    private static readonly TimeSpan RetryAfter = TimeSpan.FromMinutes(1);

    private readonly BackupSite _site;
    private readonly AuditFolder _folder;
    private readonly AuditSpool _spool;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Lock _lock = new();
    private readonly ITimer _retry;
    private readonly LostEntries _lost = new();
    private Task _writing = Task.CompletedTask;
    private string? _warned, _lostWarned;
    private bool _writes, _again, _disposed;
    private int _waiting = -1;

    internal SiteAudit(BackupSite site, string stateFolder)
    {
        _site = site;
        _folder = new AuditFolder(Path.Combine(stateFolder, "audit"), site.Time);
        _spool = new AuditSpool(_folder);
        _retry = site.Time.CreateTimer(_ => Nudge(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Where entries wait.</summary>
    public string SpoolFolder => _folder.SpoolPath;

    /// <summary>Why entries wait, as it was warned of; null: they were written when it was last tried.</summary>
    public string? Trouble => _warned;

    public async ValueTask RecordAsync(AuditEntry entry)
    {
        try
        {
            await AddAsync(entry);
        }
        catch (Exception e) when (IsTrouble(e))
        {
            _lost.Add(_site.Time.GetUtcNow());
            var sentence = $"An entry of the audit log could not be kept in {SpoolFolder}: {Failures.Describe(e)}";
            if (Interlocked.Exchange(ref _lostWarned, sentence) != sentence) _site.Options.Warn(sentence);
            return;
        }

        Nudge();
    }

    public async ValueTask<bool> FlushAsync(CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(Patience, _site.Time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        try
        {
            await _gate.WaitAsync(linked.Token);
            try
            {
                if (await _spool.CountAsync(linked.Token) > 0) await WriteAsync(linked.Token);
                _waiting = 0;
                _warned = null;
                Measure();
                return true;
            }
            finally
            {
                _gate.Release();
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return false;
        }
        catch (OperationCanceledException)
        {
            Warn($"The audit log could not be written within {Patience.TotalSeconds:0} seconds; its entries wait in {SpoolFolder}.");
            return false;
        }
        catch (Exception e) when (IsTrouble(e))
        {
            Warn($"The audit log could not be written, and its entries wait in {SpoolFolder}: {Failures.Describe(e)}");
            return false;
        }
    }

    /// <summary>Entries that wait on this machine.</summary>
    public async ValueTask<int> CountWaitingAsync(CancellationToken cancellationToken) => await _spool.CountAsync(cancellationToken);

    /// <summary>Heads that this machine has seen of the log of a repository: of its own chain, and of others'.</summary>
    public IReadOnlyList<AuditHead> KnownHeads(string repositoryId)
    {
        try
        {
            var state = _folder.ReadState(repositoryId);
            return [.. new[] { state?.Head }.OfType<AuditHead>().Concat(state?.Others ?? []).Where(h => h.IsValid)];
        }
        catch (Exception e) when (IsTrouble(e))
        {
            Warn($"What this machine knows of the audit log cannot be read from {_folder.Path}: {Failures.Describe(e)}");
            return [];
        }
    }

    public async ValueTask DisposeAsync()
    {
        Task writing;
        lock (_lock)
        {
            if (_disposed) return;
            _disposed = true;
            writing = _writing;
        }

        await _retry.DisposeAsync();
        await writing;
        await _folder.DisposeAsync();
        _gate.Dispose();
    }

    private async ValueTask AddAsync(AuditEntry entry)
    {
        var now = _site.Time.GetUtcNow();
        if (_waiting < 0) _waiting = await _spool.CountAsync(CancellationToken.None);
        if (_waiting >= AuditSpool.MaximumWaiting)
            throw new IOException($"{_waiting} entries wait there already, and no more are kept until the repository has them.");
        if (_lost.Take() is var (count, since) && count > 0)
        {
            var lost = new AuditEntry
            {
                Action = AuditActions.AuditLost, Outcome = AuditOutcome.Failed, Actor = AuditActor.OfRequest(null),
                Error = $"{count} entries could not be kept since {Human.Iso(since)}.",
                Facts = new Dictionary<string, string> { ["entries"] = $"{count}", ["since"] = Human.Iso(since) },
            };
            try
            {
                await KeepAsync(lost, now);
            }
            catch
            {
                _lost.Return(count, since);
                throw;
            }
        }

        await KeepAsync(entry, now);
    }

    private async ValueTask KeepAsync(AuditEntry entry, DateTimeOffset now)
    {
        foreach (var complete in AuditEntries.Complete(entry, now, Environment.MachineName, AuditActor.OfProcess()))
        {
            await _spool.AddAsync(complete, CancellationToken.None);
            Interlocked.Increment(ref _waiting);
        }
    }

    private async ValueTask WriteAsync(CancellationToken cancellationToken)
    {
        await using var lease = await _site.Repositories.RentRecordsAsync(cancellationToken, appends: true);
        await NoteConfigurationAsync(lease.Repository.Id, cancellationToken);
        using var file = _site.IsWriteOnly ? RepositoryAccess.ReadWriterFile(_site) : null;
        await new AuditWriter(lease.Repository, _folder, _site.Time, _site.Options.Warn).FlushAsync(file?.Signer, cancellationToken);
    }

    /// <summary>Notes the configuration if it is not the one that was noted last.</summary>
    private async ValueTask NoteConfigurationAsync(string repositoryId, CancellationToken cancellationToken)
    {
        var state = _folder.ReadState(repositoryId) ?? new AuditState();
        var now = ConfigurationNote.ValuesOf(_site.Configuration);
        if (ConfigurationNote.Compare(state.Configuration, now) is not { } entry) return;
        foreach (var complete in AuditEntries.Complete(entry, _site.Time.GetUtcNow(), Environment.MachineName, AuditActor.OfProcess()))
            await _spool.AddAsync(complete, cancellationToken);
        _folder.WriteState(repositoryId, state with { Configuration = now });
    }

    /// <summary>Has what waits written soon, by one task at a time. In a command, when it ends.</summary>
    private void Nudge()
    {
        lock (_lock)
        {
            if (_disposed || _site.Options.DeferAudit) return;
            _again = true;
            if (_writes) return;
            _writes = true;
            _writing = Task.Run(WriteSoonAsync);
        }
    }

    private async Task WriteSoonAsync()
    {
        while (true)
        {
            lock (_lock)
            {
                if (!_again)
                {
                    _writes = false;
                    return;
                }

                _again = false;
            }

            if (await FlushAsync(CancellationToken.None)) continue;
            lock (_lock)
            {
                _writes = false;
                if (!_disposed) _retry.Change(RetryAfter, Timeout.InfiniteTimeSpan);
                return;
            }
        }
    }

    /// <summary>Once for each trouble, not for each entry. A command says it itself, if it has not said the like already.</summary>
    private void Warn(string sentence)
    {
        if (Interlocked.Exchange(ref _warned, sentence) != sentence && !_site.Options.DeferAudit) _site.Options.Warn(sentence);
        Measure();
    }

    private void Measure() => _site.Metrics.Registry.Set(BackupMetrics.AuditWaiting, Math.Max(0, _waiting));

    /// <summary>Whatever it is: the log must not be what fails a backup.</summary>
    private static bool IsTrouble(Exception e) => e is not OperationCanceledException;
}
