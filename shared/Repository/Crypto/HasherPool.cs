using System.Collections.Concurrent;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>Lends hashers to workers: making one costs more than hashing a chunk.</summary>
internal sealed class HasherPool(Func<ChunkIdHasher> create) : IDisposable
{
    private readonly ConcurrentBag<ChunkIdHasher> _free = [];

    public ChunkIdHasher Rent() => _free.TryTake(out var hasher) ? hasher : create();

    public void Return(ChunkIdHasher hasher) => _free.Add(hasher);

    public void Dispose()
    {
        while (_free.TryTake(out var hasher)) hasher.Dispose();
    }
}
