using System.Collections.Concurrent;
using FunctionsBackup.Repository.Writers;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>
/// Lends hashers to workers: making one costs more than hashing a chunk. Chunks of a session of a write-only writer are named with a key of its
/// own, so each borrower says the epoch of the pack that it looks into.
/// </summary>
internal sealed class HasherPool(RepositoryKeys keys) : IDisposable
{
    private readonly ConcurrentBag<ChunkIdHasher> _free = [];
    private readonly ConcurrentDictionary<uint, ConcurrentBag<ChunkIdHasher>> _ofSessions = [];

    /// <param name="epoch">One that the keys have met.</param>
    public Lent Rent(uint epoch)
    {
        var free = EpochKinds.IsSession(epoch) ? _ofSessions.GetOrAdd(epoch, static _ => []) : _free;
        return new Lent(free.TryTake(out var hasher) ? hasher : keys.CreateHasher(epoch), free);
    }

    public void Dispose()
    {
        foreach (var free in _ofSessions.Values.Append(_free))
            while (free.TryTake(out var hasher)) hasher.Dispose();
    }

    /// <summary>A hasher that disposing gives back.</summary>
    internal readonly struct Lent(ChunkIdHasher hasher, ConcurrentBag<ChunkIdHasher> home) : IDisposable
    {
        public ChunkId Compute(ReadOnlySpan<byte> plaintext) => hasher.Compute(plaintext);

        public void Dispose() => home.Add(hasher);
    }
}
