using System.Collections.Concurrent;

namespace FunctionsBackup.Repository.Buffers;

/// <summary>Keeps aligned buffers of one size for reuse; how many exist at once is bounded by those who rent.</summary>
internal sealed class BufferPool(int size) : IDisposable
{
    private readonly ConcurrentBag<AlignedBuffer> _free = [];

    public int Size { get; } = size;

    public AlignedBuffer Rent() => _free.TryTake(out var buffer) ? buffer : new AlignedBuffer(Size);

    public void Return(AlignedBuffer buffer) => _free.Add(buffer);

    public void Dispose()
    {
        while (_free.TryTake(out var buffer)) ((IDisposable)buffer).Dispose();
    }
}
