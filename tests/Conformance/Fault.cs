using FunctionsBackup.Storage;

namespace FunctionsBackup.Tests.Conformance;

public enum FaultKind
{
    /// <summary>The request fails and has no effect.</summary>
    FailBefore,

    /// <summary>The request has its effect, but its answer gets lost: the caller sees an error.</summary>
    FailAfter,

    /// <summary>A read returns at most <see cref="Fault.Bytes"/> bytes, as if the object ended there.</summary>
    ShortRead,

    /// <summary>A read returns <see cref="Fault.Bytes"/> (at least one) wrong bytes at the beginning of its range.</summary>
    CorruptRead,

    /// <summary>The request waits for <see cref="Fault.Until"/>, then does what it should.</summary>
    Wait,

    /// <summary>From this request on, the store is gone: it and all later ones fail with <see cref="StoreUnavailableException"/>.</summary>
    Vanish,
}

/// <summary>Something that goes wrong in a <see cref="FaultyObjectStore"/>: which requests it meets, and what happens to them.</summary>
/// <param name="Operation">The requests it meets; null: all.</param>
/// <param name="Kind">What happens.</param>
public sealed record Fault(StoreOperation? Operation, FaultKind Kind)
{
    private int _met;

    /// <summary>The objects it meets, by name (for listings, by prefix).</summary>
    public Func<string, bool> Where { get; init; } = _ => true;

    /// <summary>Matching requests that pass before the first is met.</summary>
    public int Skip { get; init; }

    /// <summary>Requests met, after which it does nothing any more.</summary>
    public int Times { get; init; } = 1;

    /// <summary>What the two failures throw, of the object's name; by default a transient <see cref="StoreException"/>.</summary>
    public Func<string, Exception> Error { get; init; } =
        name => new StoreException($"The connection was lost at {name}; try again.", transient: true);

    public int Bytes { get; init; }

    public Task Until { get; init; } = Task.CompletedTask;

    /// <summary>Requests met so far.</summary>
    public int Met => Math.Clamp(Volatile.Read(ref _met) - Skip, 0, Times);

    internal bool Meets(StoreOperation operation, string name)
    {
        if ((Operation is { } only && only != operation) || !Where(name)) return false;
        var number = Interlocked.Increment(ref _met) - Skip;
        return number >= 1 && number <= Times;
    }
}
