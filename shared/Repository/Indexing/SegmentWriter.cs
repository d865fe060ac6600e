using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>Collects the contents of durable packs and writes index segments from them. Safe for concurrent use.</summary>
internal sealed class SegmentWriter(ChunkIndex index, PendingChunks pending) : IDisposable
{
    private const int FlushAt = IndexFormat.MaximumEntries / 4;

    private readonly SemaphoreSlim _gate = new(1, 1);
    private List<WrittenPack> _packs = [];
    private int _entries;
    private long _storedBytes;

    public long StoredBytes => Interlocked.Read(ref _storedBytes);

    public async ValueTask AddAsync(WrittenPack pack, CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            _packs.Add(pack);
            _entries += pack.Blocks.Sum(b => b.Chunks.Count);
            if (_entries >= FlushAt) await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    public async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_packs.Count > 0) await WriteAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            _gate.Release();
        }
    }

    public void Dispose() => _gate.Dispose();

    private async ValueTask WriteAsync(CancellationToken cancellationToken)
    {
        var builder = new IndexSegmentBuilder(_entries);
        foreach (var pack in _packs) builder.Add(pack);
        Interlocked.Add(ref _storedBytes, await index.AddSegmentAsync(builder, cancellationToken).ConfigureAwait(false));
        pending.Remove(_packs.SelectMany(p => p.Blocks).SelectMany(b => b.Chunks).Select(c => c.Id));
        _packs = [];
        _entries = 0;
    }
}
