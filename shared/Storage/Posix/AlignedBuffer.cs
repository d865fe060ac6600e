using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Storage.Posix;

/// <summary>Memory that begins on a page, as unbuffered writes need it; a few are kept for the next writer.</summary>
internal sealed unsafe class AlignedBuffer : IDisposable
{
    public const int Alignment = 4096;
    public const int Size = 2 << 20;
    private const int Kept = 4;

    private static readonly ConcurrentBag<nint> Free = [];

    private nint _start = Free.TryTake(out var kept) ? kept : (nint)NativeMemory.AlignedAlloc(Size, Alignment);

    public Span<byte> Span => _start != 0 ? new Span<byte>((void*)_start, Size) : throw new ObjectDisposedException(nameof(AlignedBuffer));

    public static bool IsAligned(byte* address) => (nuint)address % Alignment == 0;

    public void Dispose()
    {
        var start = Interlocked.Exchange(ref _start, 0);
        if (start == 0) return;
        if (Free.Count < Kept) Free.Add(start);
        else NativeMemory.AlignedFree((void*)start);
    }
}
