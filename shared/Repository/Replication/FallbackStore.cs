using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Replication;

/// <summary>An object that another copy had to stand in for.</summary>
/// <param name="Name">Which.</param>
/// <param name="Problem">What is wrong with the copies before it: one sentence.</param>
/// <param name="Answered">The store whose copy was read.</param>
public sealed record FallbackAnswer(string Name, string Problem, string Answered)
{
    public override string ToString() => $"{Problem} It was read from {Answered} instead; 'fbackup repository repair' heals it.";
}

/// <summary>
/// The primary with its replicas behind it, for reading: what the primary lacks, or has damaged, is read from the first replica that has it
/// whole. Listings show what any of them has. Writes go to the primary alone.
/// </summary>
/// <remarks>
/// For restores, not for backups: what only a replica has is not stored as far as a backup is concerned. A replica that cannot be reached
/// counts as having nothing; a primary that cannot be reached fails, since nobody could say what is missing there.
/// </remarks>
public sealed class FallbackStore : IObjectStore, ICopies
{
    private readonly IObjectStore[] _sides;
    private readonly ConcurrentDictionary<string, int> _copies = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, FallbackAnswer> _answers = new(StringComparer.Ordinal);

    /// <param name="primary">Asked first.</param>
    /// <param name="replicas">In the order in which they are asked. All are disposed with this.</param>
    public FallbackStore(IObjectStore primary, IEnumerable<IObjectStore> replicas) => _sides = [primary, .. replicas];

    public string Description => _sides[0].Description;

    /// <summary>What was read from a replica so far, each object once.</summary>
    public IReadOnlyList<FallbackAnswer> Answers => [.. _answers.Values.OrderBy(a => a.Name, StringComparer.Ordinal)];

    public int CopyOf(string name) => _copies.GetValueOrDefault(name);

    public async ValueTask<bool> TryNextCopyAsync(string name, int copy, string problem, CancellationToken cancellationToken)
    {
        if (CopyOf(name) > copy) return true; // somebody else saw it too
        for (var next = copy + 1; next < _sides.Length; next++)
        {
            if (!await HasAsync(_sides[next], name, cancellationToken).ConfigureAwait(false)) continue;
            Note(name, next, problem);
            return true;
        }

        return false;
    }

    public async ValueTask<int> ReadAsync(string name, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        var copy = CopyOf(name);
        try
        {
            return await _sides[copy].ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ObjectNotFoundException || (e is StoreException { IsTransient: false } and not StoreAccessException))
        {
            if (!await TryNextCopyAsync(name, copy, e.Message, cancellationToken).ConfigureAwait(false)) throw;
        }

        return await ReadAsync(name, offset, destination, cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask<ObjectInfo?> FindAsync(string name, CancellationToken cancellationToken)
    {
        var copy = CopyOf(name);
        if (await _sides[copy].FindAsync(name, cancellationToken).ConfigureAwait(false) is { } found) return found;
        for (var next = copy + 1; next < _sides.Length; next++)
            if (await HasAsync(_sides[next], name, cancellationToken).ConfigureAwait(false))
                return await _sides[next].FindAsync(name, cancellationToken).ConfigureAwait(false);
        return null;
    }

    public async IAsyncEnumerable<ObjectInfo> ListAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var others = new SortedDictionary<string, ObjectInfo>(StringComparer.Ordinal);
        foreach (var side in _sides.Skip(1))
        {
            try
            {
                await foreach (var info in side.ListAsync(prefix, cancellationToken).ConfigureAwait(false)) others.TryAdd(info.Name, info);
            }
            catch (StoreException)
            {
                continue; // it cannot stand in for anything
            }
        }

        var rest = new Queue<ObjectInfo>(others.Values);
        await foreach (var info in _sides[0].ListAsync(prefix, cancellationToken).ConfigureAwait(false))
        {
            while (rest.TryPeek(out var first) && string.CompareOrdinal(first.Name, info.Name) < 0) yield return rest.Dequeue();
            if (rest.TryPeek(out var same) && same.Name == info.Name) rest.Dequeue();
            yield return info;
        }

        foreach (var info in rest) yield return info;
    }

    public ValueTask<bool> CreateAsync(string name, ReadOnlyMemory<byte> content, CancellationToken cancellationToken) =>
        _sides[0].CreateAsync(name, content, cancellationToken);

    public ValueTask<bool> DeleteAsync(string name, CancellationToken cancellationToken) => _sides[0].DeleteAsync(name, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        foreach (var side in _sides) await side.DisposeAsync().ConfigureAwait(false);
    }

    private static async ValueTask<bool> HasAsync(IObjectStore side, string name, CancellationToken cancellationToken)
    {
        try
        {
            return await side.FindAsync(name, cancellationToken).ConfigureAwait(false) is not null;
        }
        catch (StoreException)
        {
            return false;
        }
    }

    private void Note(string name, int side, string problem)
    {
        _copies.AddOrUpdate(name, side, (_, now) => Math.Max(now, side));
        _answers[name] = new FallbackAnswer(name, problem, _sides[side].Description);
    }
}
