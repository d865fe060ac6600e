using FunctionsBackup.Storage;
using FunctionsBackup.Storage.Locks;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>
/// A store in memory that locks as strictly as a service in compliance mode: locks are set with the create, only get longer, and end by the
/// clock. Counts what it is asked.
/// </summary>
public sealed class LockingStore(InMemoryObjectStore inner, TimeProvider time, RetentionLock? wanted) : IObjectStore, ILockingStore
{
    private readonly Dictionary<string, DateTimeOffset> _locks = [];

    public string Description => inner.Description;

    public InMemoryObjectStore Inner => inner;

    public RetentionLock? Lock { get; set; } = wanted;

    /// <summary>Deletes that were tried of what was locked.</summary>
    public List<string> InVain { get; } = [];

    /// <summary>Objects that were taken out of sight.</summary>
    public List<string> Hidden { get; } = [];

    public int Looks { get; private set; }

    public int Renewals { get; private set; }

    /// <summary>When the lock of an object ends.</summary>
    public DateTimeOffset Until(string name)
    {
        lock (_locks) return _locks.GetValueOrDefault(name, DateTimeOffset.MinValue);
    }

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        if (!await inner.CreateAsync(name, content, cancellationToken)) return false;
        lock (_locks)
        {
            _locks.Remove(name);
            if (Lock?.Covers(name) == true) _locks[name] = Lock.Until(time.GetUtcNow());
        }

        return true;
    }

    public ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken) => inner.FindAsync(name, cancellationToken);

    public ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        inner.ReadAsync(name, offset, destination, cancellationToken);

    public IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, CancellationToken cancellationToken) => inner.ListAsync(prefix, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        if (Until(name) <= time.GetUtcNow()) return inner.DeleteAsync(name, cancellationToken);
        lock (_locks) InVain.Add(name);
        throw new ObjectLockedException(name, Until(name));
    }

    public async ValueTask<ObjectLock?> FindLockAsync(string name, CancellationToken cancellationToken)
    {
        lock (_locks) Looks++;
        return await inner.FindAsync(name, cancellationToken) is not null && Until(name) > time.GetUtcNow()
            ? new ObjectLock(LockMode.Compliance, Until(name))
            : null;
    }

    public async ValueTask<DateTimeOffset> ExtendLockAsync(string name, DateTimeOffset until, CancellationToken cancellationToken)
    {
        if (await inner.FindAsync(name, cancellationToken) is null) throw new ObjectNotFoundException(name, Description);
        lock (_locks)
        {
            Renewals++;
            return _locks[name] = Until(name) > until ? Until(name) : until;
        }
    }

    public ValueTask<bool> HideAsync(string name, CancellationToken cancellationToken)
    {
        lock (_locks) Hidden.Add(name);
        return inner.DeleteAsync(name, cancellationToken);
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();
}
