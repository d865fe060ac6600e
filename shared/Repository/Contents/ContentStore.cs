using FunctionsBackup.Repository.Chunking;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository.Contents;

/// <summary>Cuts one source into chunks and stores them, with one buffer of twice the largest chunk.</summary>
internal sealed class ContentStore(BackupSession session, FastCdc chunker, ContentOptions options, Memory<byte> buffer)
{
    public const int BufferSize = 2 * ContentLimits.MaximumChunkSize;

    private readonly ContentBuilder _builder = session.BuildContent();
    private readonly ParentCursor _parent = session.FollowParent(options);
    private int _begin, _end;

    public async ValueTask<ContentRef> StoreAsync(IContentSource source, CancellationToken cancellationToken)
    {
        await using (_parent)
        {
            foreach (var item in options.Taken) await _builder.AddItemAsync(item, cancellationToken).ConfigureAwait(false);
            while (true)
            {
                var run = await source.ReadAsync(buffer[_end..], cancellationToken).ConfigureAwait(false);
                if (run.Bytes > 0)
                {
                    session.CountRead(run.Bytes);
                    _end += run.Bytes;
                    await StoreChunksAsync(false, cancellationToken).ConfigureAwait(false);
                    if (_end == buffer.Length || _begin == _end) MoveRestToFront();
                    continue;
                }

                // A hole or the end: what is buffered cannot grow any more.
                await StoreChunksAsync(true, cancellationToken).ConfigureAwait(false);
                MoveRestToFront();
                if (run.HoleBytes == 0) return await _builder.CompleteAsync(cancellationToken).ConfigureAwait(false);
                await _builder.AddItemAsync(ContentItem.Hole(run.HoleBytes), cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Stores all chunks whose end is known; with <paramref name="all"/> the rest too.</summary>
    private async ValueTask StoreChunksAsync(bool all, CancellationToken cancellationToken)
    {
        var needed = options.FixedChunkSize > 0 ? options.FixedChunkSize : ContentLimits.MaximumChunkSize;
        while (_end - _begin >= needed || (all && _begin < _end))
        {
            var available = buffer[_begin.._end];
            if (options.Subject is { } subject)
            {
                _begin += await StoreSealedAsync(subject, available, cancellationToken).ConfigureAwait(false);
                continue;
            }

            var length = options.FixedChunkSize > 0 ? Math.Min(needed, available.Length) : chunker.FindBoundary(available.Span);
            var chunk = available[..length];
            var id = session.ComputeId(chunk.Span);
            if (await _parent.ExpectsAsync(id, cancellationToken).ConfigureAwait(false))
                await _builder.AddItemAsync(new ContentItem(id, length), cancellationToken).ConfigureAwait(false);
            else
                await _builder.AddChunkAsync(id, chunk, cancellationToken).ConfigureAwait(false);
            _begin += length;
        }
    }

    /// <summary>Seals one chunk for its data subject and stores it. Equal chunks of a subject are sealed to equal bytes, so they are stored once.</summary>
    private async ValueTask<int> StoreSealedAsync(SubjectKey subject, ReadOnlyMemory<byte> available, CancellationToken cancellationToken)
    {
        var length = Math.Min(chunker.FindBoundary(available.Span), SubjectCodec.MaximumChunk);
        var codec = session.SubjectCodecs.Rent();
        try
        {
            var stored = codec.Seal(subject, available.Span[..length]);
            var item = new ContentItem(session.ComputeId(stored.Span), length, stored.Length);
            if (await _parent.ExpectsAsync(item.Id, cancellationToken).ConfigureAwait(false))
                await _builder.AddItemAsync(item, cancellationToken).ConfigureAwait(false);
            else
                await _builder.AddChunkAsync(item, stored, cancellationToken).ConfigureAwait(false);
            return length;
        }
        finally
        {
            session.SubjectCodecs.Return(codec);
        }
    }

    private void MoveRestToFront()
    {
        if (_begin == 0) return;
        buffer[_begin.._end].CopyTo(buffer);
        _end -= _begin;
        _begin = 0;
    }
}
