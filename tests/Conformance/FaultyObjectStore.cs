using System.Runtime.CompilerServices;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

/// <summary>
/// A store in front of another that fails as the test has scripted it, and counts the requests. Without faults it changes nothing.
/// </summary>
/// <remarks>The inner store is disposed with it.</remarks>
public sealed class FaultyObjectStore(IObjectStore inner) : IObjectStore
{
    private readonly Lock _lock = new();
    private readonly List<Fault> _faults = [];
    private readonly int[] _counts = new int[Enum.GetValues<StoreOperation>().Length];
    private ObjectInfo[]? _staleList;
    private long _bytesLeft = long.MaxValue, _written;
    private int _total, _writes;
    private volatile bool _gone;

    public string Description => inner.Description;

    public IObjectStore Inner => inner;

    /// <summary>Requests so far of all kinds.</summary>
    public int TotalRequests => Volatile.Read(ref _total);

    /// <summary>Bytes of all objects created.</summary>
    public long BytesWritten => Interlocked.Read(ref _written);

    /// <summary>
    /// Number of the create or delete, from 1, at which the process "dies": it and all later requests fail with
    /// <see cref="SimulatedCrashException"/>. 0: never. Run a scenario with 1, 2, 3, … until <see cref="Crashed"/> stays false.
    /// </summary>
    public int CrashAt { get; init; }

    /// <summary>Whether the write of <see cref="CrashAt"/> still takes effect.</summary>
    public bool CrashAfterEffect { get; init; }

    public bool Crashed { get; private set; }

    public int Requests(StoreOperation operation) => Volatile.Read(ref _counts[(int)operation]);

    /// <summary>Adds a fault; the first of several that meet a request is the one that happens.</summary>
    public Fault Add(Fault fault)
    {
        lock (_lock) _faults.Add(fault);
        return fault;
    }

    /// <summary>Removes all faults and what they left: the store is there again, the disk has room, listings are fresh.</summary>
    public void Heal()
    {
        lock (_lock) _faults.Clear();
        _gone = false;
        _staleList = null;
        Interlocked.Exchange(ref _bytesLeft, long.MaxValue);
    }

    /// <summary>
    /// From now on the store has room for so many bytes; a create that does not fit fails with <see cref="StoreFullException"/>.
    /// </summary>
    public void FillUpAfter(long bytes) => Interlocked.Exchange(ref _bytesLeft, bytes);

    /// <summary>From now on listings show what is there at this moment, as an eventually consistent store might.</summary>
    public async Task FreezeListsAsync(CancellationToken cancellationToken)
    {
        var list = new List<ObjectInfo>();
        await foreach (var info in inner.ListAsync("", cancellationToken)) list.Add(info);
        _staleList = [.. list];
    }

    public async ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var fault = await BeginAsync(StoreOperation.Create, name, cancellationToken);
        var crash = CrashesNow();
        if (Interlocked.Add(ref _bytesLeft, -content.Length) < 0)
        {
            Interlocked.Add(ref _bytesLeft, content.Length);
            throw new StoreFullException($"Cannot create object {name}: the disk is full; make room.");
        }

        var created = await inner.CreateAsync(name, content, cancellationToken);
        if (created) Interlocked.Add(ref _written, content.Length);
        else Interlocked.Add(ref _bytesLeft, content.Length);
        End(fault, name, crash);
        return created;
    }

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var fault = await BeginAsync(StoreOperation.Find, name, cancellationToken);
        var found = await inner.FindAsync(name, cancellationToken);
        End(fault, name, crash: false);
        return found;
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var fault = await BeginAsync(StoreOperation.Read, name, cancellationToken);
        if (fault is { Kind: FaultKind.ShortRead } && destination.Length > fault.Bytes) destination = destination[..fault.Bytes];
        var read = await inner.ReadAsync(name, offset, destination, cancellationToken);
        if (fault is { Kind: FaultKind.CorruptRead })
            foreach (ref var b in destination.Span[..Math.Min(read, Math.Max(1, fault.Bytes))]) b ^= 0xFF;
        End(fault, name, crash: false);
        return read;
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ObjectName.CheckPrefix(prefix);
        var fault = await BeginAsync(StoreOperation.List, prefix, cancellationToken);
        if (_staleList is { } stale)
        {
            foreach (var info in stale.Where(o => o.Name.StartsWith(prefix, StringComparison.Ordinal))) yield return info;
        }
        else
        {
            await foreach (var info in inner.ListAsync(prefix, cancellationToken))
            {
                if (_gone) throw Gone();
                yield return info;
            }
        }

        End(fault, prefix, crash: false); // a lost answer: the listing breaks off at its end
    }

    public async ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken)
    {
        var fault = await BeginAsync(StoreOperation.Delete, name, cancellationToken);
        var crash = CrashesNow();
        var deleted = await inner.DeleteAsync(name, cancellationToken);
        End(fault, name, crash);
        return deleted;
    }

    public ValueTask DisposeAsync() => inner.DisposeAsync();

    private async ValueTask<Fault?> BeginAsync(StoreOperation operation, string name, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _total);
        Interlocked.Increment(ref _counts[(int)operation]);
        if (Crashed) throw new SimulatedCrashException();
        if (_gone) throw Gone();
        Fault? fault;
        lock (_lock) fault = _faults.Find(f => f.Meets(operation, name));
        switch (fault?.Kind)
        {
            case FaultKind.FailBefore:
                throw fault.Error(name);
            case FaultKind.Vanish:
                _gone = true;
                throw Gone();
            case FaultKind.Wait:
                await fault.Until.WaitAsync(cancellationToken);
                break;
        }

        return fault;
    }

    /// <summary>Counts a write; true if this is the one after whose effect the process dies.</summary>
    private bool CrashesNow()
    {
        if (Interlocked.Increment(ref _writes) is var number && (CrashAt == 0 || number < CrashAt)) return false;
        Crashed = true;
        return number == CrashAt && CrashAfterEffect ? true : throw new SimulatedCrashException();
    }

    private void End(Fault? fault, string name, bool crash)
    {
        if (crash) throw new SimulatedCrashException();
        if (fault is { Kind: FaultKind.FailAfter }) throw fault.Error(name);
    }

    private static StoreUnavailableException Gone() => new("The store is not there any more; mount it again.");
}

/// <summary>Stands for the death of the process: code under test must not handle it as anything but a failed request.</summary>
public sealed class SimulatedCrashException() : StoreException("The process died here.");
