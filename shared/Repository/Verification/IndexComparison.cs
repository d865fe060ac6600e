using System.Collections.Concurrent;
using FunctionsBackup.Repository.Indexing;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Verification;

/// <summary>Entries of a segment that do not say what a pack holds.</summary>
/// <param name="Segment">Name of the index segment.</param>
/// <param name="Pack">Name of the pack that they point into.</param>
/// <param name="Chunks">Their chunks.</param>
internal sealed record WrongEntries(string Segment, string Pack, IReadOnlyList<ChunkId> Chunks);

/// <summary>
/// Compares the index with the packs' own directories, which a full verification reads anyway: every entry must point to a block that the
/// pack has and that holds the chunk there. For use by several workers; memory is a counter per segment and pack.
/// </summary>
internal sealed class IndexComparison
{
    private readonly ChunkIndex _index;
    private readonly Dictionary<string, List<IndexSegment>> _segmentsOf = [];
    private readonly ConcurrentDictionary<(string Segment, string Pack), int> _right = new();
    private readonly ConcurrentDictionary<string, bool> _unreadable = new();
    private long _unnamed;

    public IndexComparison(ChunkIndex index)
    {
        _index = index;
        foreach (var segment in index.Segments)
            foreach (var pack in segment.Packs)
            {
                if (!_segmentsOf.TryGetValue(pack.Name, out var segments)) _segmentsOf.Add(pack.Name, segments = []);
                segments.Add(segment);
            }
    }

    /// <summary>Chunks in packs that were read that no index entry names: no recovery point can use them, and repair would add them.</summary>
    public long Unnamed => Interlocked.Read(ref _unnamed);

    /// <summary>Takes note of a pack that was read and is good.</summary>
    public async ValueTask AddAsync(WrittenPack pack, CancellationToken cancellationToken)
    {
        var places = PlacesIn(pack);
        var entries = new List<IndexEntry>(2);
        foreach (var id in places.Ids)
        {
            var named = false;
            foreach (var segment in _segmentsOf.GetValueOrDefault(pack.Info.Name, []))
            {
                await FindAsync(segment, id, entries, cancellationToken).ConfigureAwait(false);
                var right = entries.Count(e => IsIn(segment, e, pack.Info.Name) && places.Contains(id, PlaceOf(segment, e)));
                if (right == 0) continue;
                named = true;
                _right.AddOrUpdate((segment.Name, pack.Info.Name), right, (_, n) => n + right);
            }

            // It may also be that of several packs that hold a chunk the index names another one.
            if (!named && await _index.FindAsync(id, cancellationToken).ConfigureAwait(false) is null) Interlocked.Increment(ref _unnamed);
        }
    }

    /// <summary>Finds the entries that point into the packs taken note of and are not right. Reads all pages of the index once.</summary>
    public async IAsyncEnumerable<WrongEntries> FindWrongAsync(
        BackupRepository repository, IReadOnlySet<string> packs,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var segment in _index.Segments)
        {
            if (_unreadable.ContainsKey(segment.Name)) continue; // is reported as damaged already
            var counts = new int[segment.Packs.Length];
            await foreach (var entry in EntriesAsync(segment, cancellationToken).ConfigureAwait(false)) counts[segment.Blocks[entry.Block].Pack]++;
            for (var i = 0; i < counts.Length; i++)
            {
                var pack = segment.Packs[i];
                if (packs.Contains(pack.Name) && counts[i] != _right.GetValueOrDefault((segment.Name, pack.Name)))
                    yield return await NameAsync(repository, segment, pack, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Only when something is wrong: which chunks.</summary>
    private static async ValueTask<WrongEntries> NameAsync(
        BackupRepository repository, IndexSegment segment, PackInfo pack, CancellationToken cancellationToken)
    {
        var info = new ObjectInfo(pack.Name, pack.Size, default);
        var directory = await PackReader.ReadDirectoryAsync(repository.Store, repository.Keys, info, cancellationToken).ConfigureAwait(false);
        var places = PlacesIn(directory);
        var wrong = new List<ChunkId>();
        await foreach (var entry in EntriesAsync(segment, cancellationToken).ConfigureAwait(false))
            if (IsIn(segment, entry, pack.Name) && !places.Contains(entry.Id, PlaceOf(segment, entry)))
                wrong.Add(entry.Id);
        return new WrongEntries(segment.Name, pack.Name, wrong);
    }

    private async ValueTask FindAsync(IndexSegment segment, ChunkId id, List<IndexEntry> found, CancellationToken cancellationToken)
    {
        found.Clear();
        if (_unreadable.ContainsKey(segment.Name)) return;
        try
        {
            await segment.FindAllAsync(id, found, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException)
        {
            _unreadable.TryAdd(segment.Name, true); // the check of the segment's hash names it
            found.Clear();
        }
    }

    private static async IAsyncEnumerable<IndexEntry> EntriesAsync(
        IndexSegment segment, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var page = 0; page < segment.PageCount; page++)
        {
            byte[] entries;
            try
            {
                entries = await segment.ReadPageAsync(page, cancellationToken).ConfigureAwait(false);
            }
            catch (DamageException)
            {
                continue; // the check of the segment's hash names it
            }

            for (var at = 0; at < entries.Length; at += IndexFormat.EntrySize) yield return IndexEntry.Read(entries.AsSpan(at));
        }
    }

    private static bool IsIn(IndexSegment segment, IndexEntry entry, string pack) => segment.Packs[segment.Blocks[entry.Block].Pack].Name == pack;

    private static Place PlaceOf(IndexSegment segment, IndexEntry entry)
    {
        var block = segment.Blocks[entry.Block];
        return new Place(block.Offset, block.StoredLength, block.PlainLength, entry.Offset, entry.Length);
    }

    private static PackPlaces PlacesIn(WrittenPack pack)
    {
        var places = new PackPlaces(pack.Blocks.Sum(b => b.Chunks.Count));
        foreach (var block in pack.Blocks)
        {
            var at = 0;
            foreach (var chunk in block.Chunks)
            {
                places.Add(chunk.Id, new Place(block.Offset, block.StoredLength, block.PlainLength, at, chunk.Length));
                at += chunk.Length;
            }
        }

        return places;
    }

    /// <summary>Where a pack holds each of its chunks; nearly always at one place.</summary>
    private sealed class PackPlaces(int capacity)
    {
        private readonly Dictionary<ChunkId, Place> _first = new(capacity);
        private readonly HashSet<(ChunkId Id, Place At)> _more = [];

        public IEnumerable<ChunkId> Ids => _first.Keys;

        public void Add(ChunkId id, Place at)
        {
            if (!_first.TryAdd(id, at)) _more.Add((id, at));
        }

        public bool Contains(ChunkId id, Place at) => (_first.TryGetValue(id, out var first) && first == at) || _more.Contains((id, at));
    }

    private readonly record struct Place(uint Block, int Stored, int Plain, int Offset, int Length);
}
