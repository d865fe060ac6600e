using System.Buffers;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Repository.Buffers;

/// <summary>Page-aligned memory outside the garbage-collected heap: a store can write it with O_DIRECT, and freeing it is immediate.
/// Whoever makes one must dispose it: a finalizer could free it under a span that is still in use.</summary>
internal sealed unsafe class AlignedBuffer : MemoryManager<byte>
{
    private const nuint Alignment = 4096;
    private readonly int _length;
    private void* _memory;

    public AlignedBuffer(int length)
    {
        _length = length;
        _memory = NativeMemory.AlignedAlloc((nuint)length, Alignment);
    }

    public override Span<byte> GetSpan() =>
        _memory != null ? new Span<byte>(_memory, _length) : throw new ObjectDisposedException(nameof(AlignedBuffer));

    public override MemoryHandle Pin(int elementIndex = 0) => new((byte*)_memory + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        var memory = _memory;
        _memory = null;
        NativeMemory.AlignedFree(memory);
    }
}
