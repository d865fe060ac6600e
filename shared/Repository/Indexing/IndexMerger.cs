using FunctionsBackup.Repository.Packing;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>
/// Writes the entries of several segments anew as few large ones, leaving out packs that are gone. Pages are read in order, so memory is
/// that of one segment being built.
/// </summary>
/// <remarks>
/// A chunk that lies in several packs keeps every place. Which of them stays is decided by marks alone, by who may know more than we do:
/// whatever order merges come in, the index names all packs but those that were decided to go.
/// </remarks>
internal sealed class IndexMerger(ChunkIndex index)
{
    /// <param name="segments">What to merge; superseded by the last segment written.</param>
    /// <param name="drop">Packs whose entries are left out.</param>
    /// <param name="cancellationToken">Stops; segments written so far only repeat what is there.</param>
    /// <param name="supersede">False: the old ones stay in force.</param>
    /// <returns>Bytes written.</returns>
    public async ValueTask<long> MergeAsync(
        IReadOnlyList<IndexSegment> segments, Predicate<PackInfo> drop, CancellationToken cancellationToken, bool supersede = true)
    {
        var cursors = new PriorityQueue<Cursor, ChunkId>();
        foreach (var segment in segments)
        {
            var cursor = new Cursor(segment);
            if (await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false)) cursors.Enqueue(cursor, cursor.Current.Id);
        }

        var output = new Output(index);
        var named = new HashSet<(string Pack, uint Block)>();
        ChunkId? current = null;
        while (cursors.TryDequeue(out var cursor, out var id))
        {
            if (current != id) named.Clear();
            current = id;
            var block = cursor.Segment.Blocks[cursor.Current.Block];
            var pack = cursor.Segment.Packs[block.Pack];
            if (!drop(pack) && named.Add((pack.Name, block.Offset)))
                await output.AddAsync(cursor.Segment, cursor.Current, cancellationToken).ConfigureAwait(false);
            if (await cursor.MoveNextAsync(cancellationToken).ConfigureAwait(false)) cursors.Enqueue(cursor, cursor.Current.Id);
        }

        return await output.CompleteAsync(supersede ? segments : [], cancellationToken).ConfigureAwait(false);
    }

    private sealed class Output(ChunkIndex index)
    {
        private readonly Dictionary<(IndexSegment, int), int> _blocks = [];
        private IndexSegmentBuilder _builder = new();
        private long _written;

        public async ValueTask AddAsync(IndexSegment segment, IndexEntry entry, CancellationToken cancellationToken)
        {
            if (_builder.EntryCount == IndexFormat.MaximumEntries)
            {
                _written += await index.AddSegmentAsync(_builder, cancellationToken).ConfigureAwait(false);
                _builder = new IndexSegmentBuilder();
                _blocks.Clear();
            }

            if (!_blocks.TryGetValue((segment, entry.Block), out var number))
            {
                var block = segment.Blocks[entry.Block];
                number = _builder.AddBlock(segment.Packs[block.Pack], block.Offset, block.StoredLength, block.PlainLength);
                _blocks.Add((segment, entry.Block), number);
            }

            _builder.Add(entry with { Block = number });
        }

        public async ValueTask<long> CompleteAsync(IReadOnlyList<IndexSegment> superseded, CancellationToken cancellationToken)
        {
            _builder.Supersedes.AddRange(superseded.Select(s => s.Name));
            return _written + await index.AddSegmentAsync(_builder, cancellationToken).ConfigureAwait(false);
        }
    }

    private sealed class Cursor(IndexSegment segment)
    {
        private byte[] _page = [];
        private int _next, _at;

        public IndexSegment Segment { get; } = segment;

        public IndexEntry Current { get; private set; }

        public async ValueTask<bool> MoveNextAsync(CancellationToken cancellationToken)
        {
            if (_at == _page.Length)
            {
                if (_next == Segment.PageCount) return false;
                _page = await Segment.ReadPageAsync(_next++, cancellationToken).ConfigureAwait(false);
                _at = 0;
            }

            Current = IndexEntry.Read(_page.AsSpan(_at));
            _at += IndexFormat.EntrySize;
            return true;
        }
    }
}
