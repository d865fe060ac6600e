using System.Buffers;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// Makes the whole content of a relation file from an earlier content and changed blocks, on the grid of stored chunks. Chunks without a
/// changed block are taken over unread; the others are fetched from the repository, a batch at a time, and overlaid.
/// </summary>
internal sealed class FileRebuild(
    BackupRepository repository, BackupSession session, ContentRef earlier, IncrementalFile file, int pageSize) : IDisposable
{
    private const int ChunkSize = ContentLimits.PageChunkSize;
    private const int BatchChunks = 64;
    private const int FetchParallelism = 2;

    private readonly ContentBuilder _builder = session.BuildContent();
    private readonly byte[] _batch = ArrayPool<byte>.Shared.Rent(BatchChunks * ChunkSize);
    private readonly List<Step> _steps = [];
    private readonly List<ChunkRequest> _requests = [];
    private int _used;

    /// <param name="readBlock">Reads the next changed block, whose number is given, into a page. Called in rising order.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<ContentRef> RunAsync(Func<Memory<byte>, uint, ValueTask> readBlock, CancellationToken cancellationToken)
    {
        await using var takeover = new ChunkTakeover(repository, earlier, cancellationToken);
        var size = (long)file.TotalBlocks * pageSize;
        var keptSize = Math.Min((long)file.TruncationBlocks * pageSize, earlier.Size);
        var first = 0;
        for (var offset = 0L; offset < size; offset += ChunkSize)
        {
            var length = (int)Math.Min(ChunkSize, size - offset);
            var end = first;
            while (end < file.Blocks.Length && (long)file.Blocks[end] * pageSize < offset + length) end++;
            // Only what lies before the cut and within the earlier content comes from there; the rest is zeros unless it was sent.
            var kept = (int)Math.Clamp(keptSize - offset, 0, length);
            var item = kept > 0 ? await takeover.FindAsync(offset, length) : null;
            if (kept > 0 && item is null)
                throw new PostgresBackupException("The earlier backup's content is not cut at whole chunks; take a full backup.");
            if (first == end && kept == length && item is { } whole && whole.Length == length)
            {
                _steps.Add(new Step(whole, 0, 0));
                if (_steps.Count >= ContentLimits.ItemsPerList) await FlushAsync(cancellationToken);
                continue;
            }

            if (_used == BatchChunks) await FlushAsync(cancellationToken);
            var place = _batch.AsMemory(_used * ChunkSize, length);
            place.Span.Clear();
            if (item is { IsHole: false } needed && end - first < length / pageSize)
                _requests.Add(new ChunkRequest(needed.Id, (int)needed.Length, _used, offset));
            _steps.Add(new Step(null, length, kept) { Offset = offset, FirstBlock = first, EndBlock = end, Place = _used });
            for (; first < end; first++)
                await readBlock(place.Slice((int)(((long)file.Blocks[first] * pageSize) - offset), pageSize), file.Blocks[first]);
            _used++;
        }

        await FlushAsync(cancellationToken);
        return await _builder.CompleteAsync(cancellationToken);
    }

    private async ValueTask FlushAsync(CancellationToken cancellationToken)
    {
        if (_requests.Count > 0)
        {
            var steps = new Step[_used];
            foreach (var step in _steps)
                if (step.TakenOver is null) steps[step.Place] = step;
            await repository.ReadChunksAsync(
                _requests,
                FetchParallelism,
                (request, plaintext, _) =>
                {
                    Underlay(steps[request.Target], plaintext.Span);
                    return ValueTask.CompletedTask;
                },
                null,
                cancellationToken);
        }

        foreach (var step in _steps)
        {
            if (step.TakenOver is { } item) await _builder.AddItemAsync(item, cancellationToken);
            else await _builder.AddChunkAsync(_batch.AsMemory(step.Place * ChunkSize, step.Length), cancellationToken);
        }

        _steps.Clear();
        _requests.Clear();
        _used = 0;
    }

    /// <summary>Puts the earlier bytes where no block was sent.</summary>
    private void Underlay(in Step step, ReadOnlySpan<byte> bytes)
    {
        var sent = file.Blocks.AsSpan(step.FirstBlock, step.EndBlock - step.FirstBlock);
        var available = Math.Min(step.Kept, bytes.Length);
        for (var at = 0; at + pageSize <= available; at += pageSize)
        {
            if (sent.BinarySearch((uint)((step.Offset + at) / pageSize)) < 0)
                bytes.Slice(at, pageSize).CopyTo(_batch.AsSpan((step.Place * ChunkSize) + at));
        }
    }

    public void Dispose() => ArrayPool<byte>.Shared.Return(_batch);

    /// <summary>One chunk of the result, in order.</summary>
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
