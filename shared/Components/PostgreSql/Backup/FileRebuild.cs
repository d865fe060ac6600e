using System.Buffers;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Makes the whole content of a relation file from an earlier content and changed blocks. Earlier chunks without a changed block are taken
/// over unread, whatever their size; between them chunks of today's grid are put together from earlier ones, which are fetched from the
/// repository a batch at a time, and overlaid.
/// </summary>
internal sealed class FileRebuild : IDisposable
{
    private const int BatchBytes = 2 << 20;
    private const int FetchParallelism = 2;

    private readonly BackupRepository _repository;
    private readonly ContentRef _earlier;
    private readonly IncrementalFile _file;
    private readonly int _pageSize, _chunkSize, _batchChunks;
    private readonly ContentBuilder _builder;
    private readonly byte[] _batch;
    private readonly List<Step> _steps = [];
    private readonly List<ChunkRequest> _requests = [];
    private readonly List<(long Offset, ContentItem Item)> _runs = [];
    private int _used;

    public FileRebuild(BackupRepository repository, BackupSession session, ContentRef earlier, IncrementalFile file, int pageSize)
    {
        _repository = repository;
        _earlier = earlier;
        _file = file;
        _pageSize = pageSize;
        _chunkSize = ContentLimits.PageChunk(pageSize);
        _batchChunks = BatchBytes / _chunkSize;
        _builder = session.BuildContent();
        _batch = ArrayPool<byte>.Shared.Rent(_batchChunks * _chunkSize);
    }

    /// <param name="readBlock">Reads the next changed block, whose number is given, into a page. Called in rising order.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<ContentRef> RunAsync(Func<Memory<byte>, uint, ValueTask> readBlock, CancellationToken cancellationToken)
    {
        await using var takeover = new ChunkTakeover(_repository, _earlier, cancellationToken);
        var size = (long)_file.TotalBlocks * _pageSize;
        // Only what lies before the cut and within the earlier content comes from there; the rest is zeros unless it was sent.
        var keptSize = Math.Min((long)_file.TruncationBlocks * _pageSize, _earlier.Size);
        var first = 0;
        for (var offset = 0L; offset < size;)
        {
            var length = (int)Math.Min(_chunkSize - (offset % _chunkSize), size - offset);
            if (await takeover.FindAsync(offset, length) is { } item && IsKept(offset, item.Length, Math.Min(keptSize, size), first))
            {
                _steps.Add(new Step(item, 0, 0));
                if (_steps.Count >= ContentLimits.ItemsPerList) await FlushAsync(cancellationToken);
                offset += item.Length;
                continue;
            }

            if (_used == _batchChunks) await FlushAsync(cancellationToken);
            var end = first;
            while (end < _file.Blocks.Length && (long)_file.Blocks[end] * _pageSize < offset + length) end++;
            var kept = (int)Math.Clamp(keptSize - offset, 0, length);
            if (kept > 0 && end - first < length / _pageSize) await RequestAsync(takeover, offset, kept, cancellationToken);
            var place = _batch.AsMemory(_used * _chunkSize, length);
            place.Span.Clear();
            _steps.Add(new Step(null, length, kept) { Offset = offset, FirstBlock = first, EndBlock = end, Place = _used });
            for (; first < end; first++)
                await readBlock(place.Slice((int)(((long)_file.Blocks[first] * _pageSize) - offset), _pageSize), _file.Blocks[first]);
            _used++;
            offset += length;
        }

        await FlushAsync(cancellationToken);
        return await _builder.CompleteAsync(cancellationToken);
    }

    /// <summary>Whether an earlier run is part of the file as it is: whole, uncut, of whole pages, and without a block that was sent.</summary>
    private bool IsKept(long offset, long length, long keptSize, int next) =>
        offset + length <= keptSize && length % _pageSize == 0
        && (next == _file.Blocks.Length || (long)_file.Blocks[next] * _pageSize >= offset + length);

    private async ValueTask RequestAsync(ChunkTakeover takeover, long offset, int kept, CancellationToken cancellationToken)
    {
        _runs.Clear();
        await takeover.FindAllAsync(offset, offset + kept, _runs);
        cancellationToken.ThrowIfCancellationRequested();
        foreach (var (at, run) in _runs)
            if (!run.IsHole) _requests.Add(new ChunkRequest(run.Id, (int)run.Length, _used, at));
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_requests.Count > 0)
        {
            var steps = new Step[_used];
            foreach (var step in _steps)
                if (step.TakenOver is null) steps[step.Place] = step;
            await _repository.ReadChunksAsync(
                _requests,
                FetchParallelism,
                (request, plaintext, _) =>
                {
                    Underlay(steps[request.Target], request.Offset, plaintext.Span);
                    return ValueTask.CompletedTask;
                },
                null,
                cancellationToken);
        }

        foreach (var step in _steps)
        {
            if (step.TakenOver is { } item) await _builder.AddItemAsync(item, cancellationToken);
            else await _builder.AddChunkAsync(_batch.AsMemory(step.Place * _chunkSize, step.Length), cancellationToken);
        }

        _steps.Clear();
        _requests.Clear();
        _used = 0;
    }

    /// <summary>Puts the bytes of an earlier chunk, which begins at <paramref name="offset"/> of the file, where no block was sent.</summary>
    private void Underlay(in Step step, long offset, ReadOnlySpan<byte> bytes)
    {
        var sent = _file.Blocks.AsSpan(step.FirstBlock, step.EndBlock - step.FirstBlock);
        var from = Math.Max(step.Offset, offset);
        var to = Math.Min(step.Offset + step.Kept, offset + bytes.Length);
        while (from < to)
        {
            var page = from / _pageSize;
            var count = (int)(Math.Min(to, (page + 1) * _pageSize) - from);
            if (sent.BinarySearch((uint)page) < 0)
                bytes.Slice((int)(from - offset), count).CopyTo(_batch.AsSpan((step.Place * _chunkSize) + (int)(from - step.Offset)));
            from += count;
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_batch);

    /// <summary>One run of the result, in order.</summary>
    /// <param name="TakenOver">The earlier run that it is, or null if it is put together in the batch.</param>
    /// <param name="Length">Its bytes.</param>
    /// <param name="Kept">How many of them, from its start, may come from the earlier content.</param>
    private readonly record struct Step(ContentItem? TakenOver, int Length, int Kept)
    {
        /// <summary>Of the chunk in the file.</summary>
        public long Offset { get; init; }

        /// <summary>Index of the first block sent for it.</summary>
        public int FirstBlock { get; init; }

        public int EndBlock { get; init; }

        /// <summary>Its number in the batch.</summary>
        public int Place { get; init; }
    }
}
