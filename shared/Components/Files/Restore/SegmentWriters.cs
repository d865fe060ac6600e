using System.Collections.Concurrent;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>
/// Threads that write whole segments past the page cache (O_DIRECT): a tenth of the processor time of buffered writes, the disk starts at
/// once, and nothing is left to wait for at the end. The buffers are few and come back when written.
/// </summary>
internal sealed class SegmentWriters : IDisposable
{
    internal const int SegmentSize = 1 << 20;

    /// <summary>What O_DIRECT asks of addresses, offsets and lengths on every disk in use.</summary>
    internal const int Alignment = 4096;

    private const int Threads = 4;
    private const int Buffers = 32;

    private readonly ConcurrentBag<SegmentBuffer> _free = [];
    private readonly BlockingCollection<(RestoreFile File, Segment Segment)> _queue = [];
    private readonly Lock _lock = new();
    private readonly List<Thread> _threads = [];
    private readonly List<SegmentBuffer> _all = [];
    private int _queued;
    private Exception? _failure;
    private TaskCompletionSource? _drained;

    /// <summary>A buffer of <see cref="SegmentSize"/> bytes, or null if all are in use.</summary>
    internal SegmentBuffer? TryRent()
    {
        if (_free.TryTake(out var buffer)) return buffer;
        lock (_lock)
        {
            if (_all.Count == Buffers) return null;
            buffer = new SegmentBuffer(SegmentSize, Alignment);
            _all.Add(buffer);
            return buffer;
        }
    }

    internal void Return(SegmentBuffer buffer) => _free.Add(buffer);

    /// <summary>Writes a complete segment soon, and tells its file when done.</summary>
    internal void Enqueue(RestoreFile file, Segment segment)
    {
        lock (_lock)
        {
            _queued++;
            if (_threads.Count < Threads && _threads.Count < _queued) StartThread();
        }

        _queue.Add((file, segment));
    }

    /// <summary>Waits until everything enqueued so far is written.</summary>
    /// <exception cref="IOException">A write failed.</exception>
    internal async ValueTask DrainAsync()
    {
        await StopAsync().ConfigureAwait(false);
        ThrowIfFailed();
    }

    /// <summary>The same after a failure, whatever it was: afterwards nothing is being written.</summary>
    internal async ValueTask StopAsync()
    {
        Task? wait = null;
        lock (_lock)
        {
            if (_queued > 0) wait = (_drained ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
        }

        if (wait is not null) await wait.ConfigureAwait(false);
    }

    /// <exception cref="IOException">A write failed.</exception>
    internal void ThrowIfFailed()
    {
        if (Volatile.Read(ref _failure) is { } failure) throw new IOException(failure.Message, failure);
    }

    public void Dispose()
    {
        _queue.CompleteAdding();
        foreach (var thread in _threads) thread.Join();
        foreach (var buffer in _all) buffer.Dispose();
        _queue.Dispose();
    }

    private void StartThread()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = "restore writer" };
        _threads.Add(thread);
        thread.Start();
    }

    private void Run()
    {
        foreach (var (file, segment) in _queue.GetConsumingEnumerable())
        {
            try
            {
                if (Volatile.Read(ref _failure) is null) file.WriteSegment(segment);
            }
            catch (Exception exception)
            {
                // Whatever it was, it ends the restore, not the process.
                Interlocked.CompareExchange(ref _failure, exception, null);
            }

            TaskCompletionSource? drained = null;
            lock (_lock)
            {
                if (--_queued == 0) (drained, _drained) = (_drained, null);
            }

            drained?.SetResult();
        }
    }
}

/// <summary>Aligned memory outside the managed heap.</summary>
internal sealed unsafe class SegmentBuffer : IDisposable
{
    private readonly int _size;
    private void* _memory;

    internal SegmentBuffer(int size, int alignment)
    {
        _size = size;
        _memory = System.Runtime.InteropServices.NativeMemory.AlignedAlloc((nuint)size, (nuint)alignment);
    }

    internal Span<byte> Span => new(_memory, _size);

    public void Dispose()
    {
        System.Runtime.InteropServices.NativeMemory.AlignedFree(_memory);
        _memory = null;
    }
}

/// <summary>A stretch of a file that is written at once. Without a buffer its parts are written as they come.</summary>
internal sealed class Segment(long offset, int length, SegmentBuffer? buffer)
{
    private int _missing = length;

    internal long Offset { get; } = offset;

    internal int Length { get; } = length;

    internal SegmentBuffer? Buffer { get; } = buffer;

    /// <summary>Counts bytes that have come.</summary>
    /// <returns>True if they were the last.</returns>
    internal bool Receive(int count) => Interlocked.Add(ref _missing, -count) == 0;
}
