using FunctionsBackup.Repository.Buffers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Packing;

/// <summary>
/// Collects encrypted blocks into packs, one open pack per kind, and writes full ones to the store in the background. Memory is bounded
/// by the number of packs that may exist at once. Safe for concurrent use.
/// </summary>
/// <param name="store">Where packs go.</param>
/// <param name="keys">Keys.</param>
/// <param name="uploads">Packs written at once.</param>
/// <param name="onWritten">Called after a pack is durable, concurrently.</param>
internal sealed class PackWriter(IObjectStore store, RepositoryKeys keys, int uploads, Func<WrittenPack, CancellationToken, ValueTask> onWritten)
    : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly BufferPool _buffers = new(PackFormat.MaximumSize);
    private readonly SemaphoreSlim _slots = new(uploads + 2); // one open pack of each kind beside those on their way
    private readonly OpenPack?[] _open = new OpenPack?[3];
    private readonly List<Task> _writing = [];
    private readonly CancellationTokenSource _stop = new();
    private long _storedBytes;

    /// <summary>Bytes of packs that are durable.</summary>
    public long StoredBytes => Interlocked.Read(ref _storedBytes);

    /// <summary>Encrypts one block into a pack. Throws what went wrong with an earlier pack, if anything did.</summary>
    public async ValueTask AppendAsync(
        PackKind kind, ReadOnlyMemory<byte> block, int plainLength, IReadOnlyList<PackChunk> chunks, CancellationToken cancellationToken)
    {
        var stored = block.Length + PackFormat.TagSize;
        var (pack, offset) = await ReserveAsync(kind, stored, plainLength, chunks, cancellationToken).ConfigureAwait(false);
        pack.Cipher.Seal(PackPart.Block, offset, block.Span, pack.Place(offset, stored));
        Release(pack);
    }

    /// <summary>Closes the open packs and waits until every pack is durable.</summary>
    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        foreach (var kind in (PackKind[])[PackKind.Data, PackKind.Metadata])
        {
            OpenPack? pack;
            lock (_gate)
            {
                pack = _open[(int)kind];
                _open[(int)kind] = null;
            }

            if (pack is not null) Release(pack);
        }

        Task[] writing;
        lock (_gate) writing = [.. _writing];
        await Task.WhenAll(writing).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        Task[] writing;
        lock (_gate) writing = [.. _writing];
        await Task.WhenAll(writing).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var pack in _open)
        {
            if (pack is null) continue;
            ((IDisposable)pack.Buffer).Dispose();
            pack.Dispose();
        }

        _buffers.Dispose();
        _slots.Dispose();
        _stop.Dispose();
    }

    private async ValueTask<(OpenPack Pack, uint Offset)> ReserveAsync(
        PackKind kind, int stored, int plainLength, IReadOnlyList<PackChunk> chunks, CancellationToken cancellationToken)
    {
        OpenPack? spare = null;
        while (true)
        {
            OpenPack? full = null;
            lock (_gate)
            {
                if (spare is not null && IsFaulted) GiveBack(spare);
                ThrowIfFaulted();
                ref var open = ref _open[(int)kind];
                if (open is null && spare is not null)
                {
                    open = spare;
                    spare = null;
                }

                if (open is not null)
                {
                    if (open.TryReserve(stored, plainLength, chunks, out var offset))
                    {
                        if (spare is not null) GiveBack(spare);
                        return (open, offset);
                    }

                    full = open;
                    open = null;
                }
            }

            if (full is not null)
            {
                Release(full);
                continue;
            }

            await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
            spare = new OpenPack(keys, kind, _buffers.Rent());
        }
    }

    private void Release(OpenPack pack)
    {
        if (!pack.Release()) return;
        var task = Task.Run(() => WriteAsync(pack));
        lock (_gate)
        {
            _writing.RemoveAll(t => t.IsCompletedSuccessfully);
            _writing.Add(task);
        }
    }

    private async Task WriteAsync(OpenPack pack)
    {
        try
        {
            if (pack.IsEmpty) return;
            var written = pack.Finish();
            await store.CreateAsync(written.Info.Name, pack.Buffer.Memory[..written.Size], _stop.Token).ConfigureAwait(false);
            Interlocked.Add(ref _storedBytes, written.Size);
            await onWritten(written, _stop.Token).ConfigureAwait(false);
        }
        finally
        {
            GiveBack(pack);
        }
    }

    private void GiveBack(OpenPack pack)
    {
        _buffers.Return(pack.Buffer);
        pack.Dispose();
        _slots.Release();
    }

    private bool IsFaulted => _writing.Exists(t => t.IsFaulted || t.IsCanceled);

    /// <summary>A backup whose packs cannot be written must not go on reading for hours.</summary>
    private void ThrowIfFaulted()
    {
        foreach (var task in _writing)
            if (task.IsFaulted || task.IsCanceled) task.GetAwaiter().GetResult();
    }
}
