using System.Collections.Concurrent;
using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Repository.Locks;

/// <summary>
/// The locks on the objects of a repository, as far as somebody looked: so that nothing is tried in vain, and what a recovery point needs is
/// locked again before its lock ends. Without locks in the store nothing is asked and nothing done.
/// </summary>
public sealed class RetentionLocks
{
    private readonly ILockingStore? _store;
    private readonly LockLedger _ledger;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _ends;
    private readonly ConcurrentDictionary<string, DateTimeOffset> _news = new(StringComparer.Ordinal);

    private RetentionLocks(ILockingStore? store, LockLedger ledger, Dictionary<string, DateTimeOffset> ends)
    {
        (_store, _ledger) = (store, ledger);
        _ends = new ConcurrentDictionary<string, DateTimeOffset>(ends, StringComparer.Ordinal);
    }

    /// <summary>The lock of new objects; null: none.</summary>
    public RetentionLock? Wanted => _store?.Lock;

    public static async ValueTask<RetentionLocks> OpenAsync(BackupRepository repository, CancellationToken cancellationToken)
    {
        var ledger = new LockLedger(repository.Store, repository.Sealed);
        var store = repository.Store is ILockingStore { Lock: not null } locking ? locking : null;
        return new RetentionLocks(store, ledger, store is null ? [] : await ledger.LoadAsync(cancellationToken).ConfigureAwait(false));
    }

    /// <summary>
    /// What remains of a lock when it is renewed: a third of the period, but at least two days, or two thirds of a period that is shorter than
    /// three. Runs once a day come in time.
    /// </summary>
    public static TimeSpan Threshold(TimeSpan period)
    {
        var (third, least) = (period / 3, TimeSpan.FromDays(2));
        return third > least ? third : least < period * 2 / 3 ? least : period * 2 / 3;
    }

    /// <summary>When the lock of an object ends, as far as known; <see cref="DateTimeOffset.MinValue"/>: it has none, or it is not known.</summary>
    public DateTimeOffset Until(string name) => _ends.GetValueOrDefault(name, DateTimeOffset.MinValue);

    /// <summary>Asks for the locks of those objects of which nothing is known.</summary>
    public async ValueTask LearnAsync(IEnumerable<string> names, int parallelism, CancellationToken cancellationToken)
    {
        if (_store is null) return;
        await Parallel.ForEachAsync(
            names.Where(n => !_ends.ContainsKey(n)), Options(parallelism, cancellationToken),
            async (name, token) =>
                Note(name, await _store.FindLockAsync(name, token).ConfigureAwait(false) is { } found ? found.Until : DateTimeOffset.MinValue))
            .ConfigureAwait(false);
    }

    /// <summary>Notes that an object turned out to be locked.</summary>
    public void Note(ObjectLockedException error)
    {
        if (error.Until is { } until) Note(error.Name, until);
    }

    /// <summary>Those of the objects whose locks are to be renewed by now.</summary>
    public IReadOnlyList<string> Due(IEnumerable<string> names, DateTimeOffset now) => Wanted is not { } wanted ? []
        : [.. names.Where(n => wanted.Covers(n) && IsDue(n, now))];

    /// <summary>Whether the lock of an object is to be renewed by now, if the object is needed.</summary>
    public bool IsDue(string name, DateTimeOffset now) => Wanted is { } wanted && Until(name) - now < Threshold(wanted.Period);

    /// <summary>Renews the locks of objects. One that is gone is passed over.</summary>
    public async ValueTask RenewAsync(IReadOnlyList<string> names, DateTimeOffset now, int parallelism, CancellationToken cancellationToken)
    {
        if (Wanted is not { } wanted) return;
        var until = wanted.Until(now);
        await Parallel.ForEachAsync(
            names, Options(parallelism, cancellationToken),
            async (name, token) =>
            {
                try
                {
                    Note(name, await _store!.ExtendLockAsync(name, until, token).ConfigureAwait(false));
                }
                catch (ObjectNotFoundException)
                {
                    return; // removed meanwhile; whoever misses it says so
                }
            }).ConfigureAwait(false);
    }

    /// <summary>Keeps what was learned for the next run.</summary>
    /// <param name="exists">Whether an object is still there; what is known of others is forgotten in the end.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask SaveAsync(Predicate<string> exists, CancellationToken cancellationToken)
    {
        await _ledger.AddAsync(
            _news.Where(e => exists(e.Key)).ToDictionary(), _ends.Where(e => exists(e.Key)).ToDictionary(), cancellationToken).ConfigureAwait(false);
        _news.Clear();
    }

    private void Note(string name, DateTimeOffset until)
    {
        if (_ends.TryGetValue(name, out var known) && known == until) return;
        _ends[name] = until;
        _news[name] = until;
    }

    private static ParallelOptions Options(int parallelism, CancellationToken cancellationToken) =>
        new() { MaxDegreeOfParallelism = Math.Max(8, parallelism), CancellationToken = cancellationToken };
}
