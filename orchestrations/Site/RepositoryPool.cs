using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Keys;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>The repository, lent to an activity. Give it back by disposing.</summary>
public sealed class RepositoryLease : IAsyncDisposable
{
    private readonly Func<ValueTask> _giveBack;
    private bool _given;

    internal RepositoryLease(BackupRepository repository, Func<ValueTask> giveBack)
    {
        Repository = repository;
        _giveBack = giveBack;
    }

    public BackupRepository Repository { get; }

    /// <summary>What had to be read from a replica so far, one sentence each.</summary>
    public IReadOnlyList<string> Fallbacks => Repository.Store is FallbackStore store ? [.. store.Answers.Select(a => a.ToString())] : [];

    public ValueTask DisposeAsync()
    {
        if (_given) return ValueTask.CompletedTask;
        _given = true;
        return _giveBack();
    }
}

/// <summary>
/// Opens the repository once per run and process, so that each run sees the index and the collection marks of its time, and unlocks the
/// keys once, which takes a passphrase a fifth of a second. What nobody uses is closed after a while, and then the keys are wiped. Safe
/// for concurrent use.
/// </summary>
public sealed class RepositoryPool : IAsyncDisposable
{
    /// <summary>Keys are unlocked again after this, so that new epochs and a changed passphrase are seen.</summary>
    private static readonly TimeSpan KeysMaximumAge = TimeSpan.FromMinutes(30);

    private readonly BackupSite _site;
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly Dictionary<string, Opened> _runs = [];
    private readonly ITimer _tidy;
    private SharedKeys? _keys;
    private Task? _preparing;

    internal RepositoryPool(BackupSite site)
    {
        _site = site;
        _tidy = site.Time.CreateTimer(_ => _ = TidyAsync(), null, site.Options.CloseAfter, site.Options.CloseAfter);
    }

    /// <summary>
    /// Begins to unlock the keys on another thread, for who will need the repository soon and has other things to do first. Call it before
    /// the first rent, from one thread; who rents meanwhile waits for it. A second call does nothing.
    /// </summary>
    public void Prepare() => _preparing ??= Task.Run(PrepareAsync);

    /// <summary>Lends the repository as it was when this run first asked for it.</summary>
    /// <param name="run">Name of the run, the instance, or whatever shares a view of the repository.</param>
    /// <param name="cancellationToken">Stops opening.</param>
    /// <exception cref="ConfigurationException">It cannot be found with this configuration.</exception>
    /// <exception cref="RepositoryException">It cannot be opened.</exception>
    public async ValueTask<RepositoryLease> RentAsync(string run, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (!_runs.TryGetValue(run, out var opened)) _runs.Add(run, opened = await OpenAsync(true, cancellationToken));
            opened.Users++;
            return new RepositoryLease(opened.Repository, () => GiveBackAsync(opened));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>
    /// Lends the repository for reading: what it lacks or has damaged is read from its replicas. With a name, that replica alone, as if it
    /// were the repository.
    /// </summary>
    /// <exception cref="RepositoryException">None of them can be opened.</exception>
    public async ValueTask<RepositoryLease> RentForReadingAsync(
        string run, string? replica, CancellationToken cancellationToken, bool index = true)
    {
        _site.RequireKeys("Reading the repository");
        if (replica is null && _site.Configuration.Replicas.Count == 0)
            return index ? await RentAsync(run, cancellationToken) : await RentRecordsAsync(cancellationToken);
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var key = $"{run} reads {replica} {index}";
            if (!_runs.TryGetValue(key, out var opened)) _runs.Add(key, opened = await OpenForReadingAsync(replica, index, cancellationToken));
            opened.Users++;
            return new RepositoryLease(opened.Repository, () => GiveBackAsync(opened));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>Lends the repository without its index, for who reads only records and sealed objects, or adds some.</summary>
    /// <param name="cancellationToken">Stops opening.</param>
    /// <param name="appends">Whether it is only to add to it, which a host that only writes may.</param>
    public async ValueTask<RepositoryLease> RentRecordsAsync(CancellationToken cancellationToken, bool appends = false)
    {
        if (!appends) _site.RequireKeys("Reading the repository");
        await _gate.WaitAsync(cancellationToken);
        try
        {
            var opened = await OpenAsync(false, cancellationToken);
            return new RepositoryLease(opened.Repository, () => CloseAsync(opened));
        }
        finally
        {
            _gate.Release();
        }
    }

    /// <summary>The run is over in this process: closed when the last who uses it gives it back.</summary>
    public async ValueTask EndRunAsync(string run)
    {
        await _gate.WaitAsync();
        Opened? close = null;
        try
        {
            if (!_runs.Remove(run, out var opened)) return;
            opened.Ended = true;
            if (opened.Users == 0) close = opened;
        }
        finally
        {
            _gate.Release();
        }

        if (close is not null) await CloseAsync(close);
    }

    public async ValueTask DisposeAsync()
    {
        await _tidy.DisposeAsync();
        if (_preparing is not null) await _preparing;
        foreach (var opened in _runs.Values) await CloseAsync(opened);
        _runs.Clear();
        _keys?.Drop();
        _keys = null;
        _gate.Dispose();
    }

    private async ValueTask<Opened> OpenAsync(bool index, CancellationToken cancellationToken)
    {
        var store = RepositoryAccess.CreateStore(_site);
        SharedKeys? keys = null;
        try
        {
            keys = await TakeKeysAsync(store, cancellationToken);
            var options = new RepositoryOptions
            {
                Compression = RepositoryAccess.Compression(_site), Time = _site.Time, LoadIndex = index, KeepKeys = true,
            };
            return new Opened(await BackupRepository.OpenAsync(store, keys.Unlocked, options, cancellationToken), keys);
        }
        catch
        {
            keys?.Drop();
            await store.DisposeAsync();
            throw;
        }
    }

    private async Task PrepareAsync()
    {
        await _gate.WaitAsync();
        try
        {
            await using var store = RepositoryAccess.CreateStore(_site);
            (await TakeKeysAsync(store, CancellationToken.None)).Drop();
        }
#pragma warning disable CA1031 // Nobody has asked yet: who rents meets the same and tells it.
        catch
#pragma warning restore CA1031
        {
            return;
        }
        finally
        {
            _gate.Release();
        }
    }

    private async ValueTask<SharedKeys> TakeKeysAsync(IObjectStore store, CancellationToken cancellationToken)
    {
        var configuration = _site.Configuration;
        if (_keys is null || _keys.Configuration != configuration || _site.Time.GetElapsedTime(_keys.UnlockedAt) > KeysMaximumAge)
        {
            var unlocked = await RepositoryAccess.UnlockAsync(_site, store, cancellationToken);
            _keys?.Drop();
            _keys = new SharedKeys(unlocked, configuration, _site.Time.GetTimestamp());
        }

        return _keys.Take();
    }

    /// <summary>With keys of its own: those of a replica are read from it.</summary>
    private async ValueTask<Opened> OpenForReadingAsync(string? replica, bool index, CancellationToken cancellationToken)
    {
        var (store, unlocked) = await RepositoryAccess.OpenForReadingAsync(_site, replica, cancellationToken);
        var keys = new SharedKeys(unlocked, _site.Configuration, _site.Time.GetTimestamp());
        try
        {
            var options = new RepositoryOptions
            {
                Compression = RepositoryAccess.Compression(_site), Time = _site.Time, LoadIndex = index, KeepKeys = true,
            };
            return new Opened(await BackupRepository.OpenAsync(store, unlocked, options, cancellationToken), keys);
        }
        catch
        {
            keys.Drop();
            await store.DisposeAsync();
            throw;
        }
    }

    private async ValueTask GiveBackAsync(Opened opened)
    {
        await _gate.WaitAsync();
        var close = false;
        try
        {
            opened.Users--;
            opened.IdleSince = _site.Time.GetTimestamp();
            close = opened is { Users: 0, Ended: true };
        }
        finally
        {
            _gate.Release();
        }

        if (close) await CloseAsync(opened);
    }

    private static async ValueTask CloseAsync(Opened opened)
    {
        await opened.Repository.DisposeAsync();
        opened.Keys.Drop();
    }

    private async Task TidyAsync()
    {
        var close = new List<Opened>();
        try
        {
            await _gate.WaitAsync();
        }
        catch (ObjectDisposedException)
        {
            return; // closing anyway
        }

        try
        {
            foreach (var (run, opened) in _runs.Where(r => r.Value.Users == 0
                && _site.Time.GetElapsedTime(r.Value.IdleSince) >= _site.Options.CloseAfter).ToList())
            {
                _runs.Remove(run);
                close.Add(opened);
            }

            if (_runs.Count == 0)
            {
                _keys?.Drop();
                _keys = null;
            }
        }
        finally
        {
            _gate.Release();
        }

        foreach (var opened in close) await CloseAsync(opened);
    }

    private sealed class Opened(BackupRepository repository, SharedKeys keys)
    {
        public BackupRepository Repository { get; } = repository;

        public SharedKeys Keys { get; } = keys;

        public int Users { get; set; }

        public long IdleSince { get; set; }

        public bool Ended { get; set; }
    }

    /// <summary>Unlocked keys, wiped when the last who holds them lets go.</summary>
    private sealed class SharedKeys(UnlockedRepository unlocked, BackupConfiguration configuration, long unlockedAt)
    {
        private int _holders = 1;

        public UnlockedRepository Unlocked { get; } = unlocked;

        public BackupConfiguration Configuration { get; } = configuration;

        public long UnlockedAt { get; } = unlockedAt;

        public SharedKeys Take()
        {
            Interlocked.Increment(ref _holders);
            return this;
        }

        public void Drop()
        {
            if (Interlocked.Decrement(ref _holders) == 0) Unlocked.Dispose();
        }
    }
}
