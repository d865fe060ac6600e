using System.Collections.Concurrent;
using System.Collections.Immutable;
using FunctionsBackup.Repository.Packing;
using FunctionsBackup.Repository.Replication;
using FunctionsBackup.Repository.Writers;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>
/// Finds chunks: all segments of the repository that no other segment supersedes. Safe for concurrent use; segments may be added while it
/// is used.
/// </summary>
internal sealed class ChunkIndex : IDisposable
{
    private readonly IObjectStore _store;
    private readonly RepositoryKeys _keys;
    private readonly IndexPageCache _cache = new(IndexPageCache.DefaultCapacity);
    private ImmutableArray<IndexSegment> _segments = [];
    private ImmutableHashSet<string> _condemned = [];
    private readonly ConcurrentDictionary<string, DamageException> _spoilt = new(StringComparer.Ordinal);
    private ImmutableArray<DamageException> _unopened = [];
    private ImmutableDictionary<string, DateTimeOffset> _superseded = ImmutableDictionary<string, DateTimeOffset>.Empty;

    private ChunkIndex(IObjectStore store, RepositoryKeys keys)
    {
        _store = store;
        _keys = keys;
    }

    public ImmutableArray<IndexSegment> Segments => _segments;

    /// <summary>
    /// Segments that could not be opened, or of which a page could not be read so far, and that no other supersedes. Chunks that only they
    /// name count as absent: backups store them anew, restores lack them, and nothing is collected until repair has built the index anew.
    /// </summary>
    public IReadOnlyList<DamageException> Damaged =>
        _spoilt.IsEmpty ? _unopened : [.. _unopened.Concat(_spoilt.Values).OrderBy(d => d.ObjectName, StringComparer.Ordinal)];

    /// <summary>Names of the segments in the store that others have replaced, and since when by the store's clock.</summary>
    public IReadOnlyDictionary<string, DateTimeOffset> Superseded => _superseded;

    /// <summary>Names of packs that are marked for collection: good for reading, but nothing new may refer to them.</summary>
    public IReadOnlySet<string> Condemned => _condemned;

    public static async ValueTask<ChunkIndex> OpenAsync(IObjectStore store, RepositoryKeys keys, CancellationToken cancellationToken)
    {
        var index = new ChunkIndex(store, keys);
        await index.RefreshAsync(cancellationToken).ConfigureAwait(false);
        return index;
    }

    /// <summary>Opens the segments that have come since, and drops those that are superseded.</summary>
    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
    {
        if (_keys.IsWriteOnly) return; // a write-only writer knows only what its session has added
        var known = _segments.ToDictionary(s => s.Name);
        var opened = new ConcurrentDictionary<string, (IndexSegment Segment, DateTimeOffset At)>();
        var damaged = new ConcurrentDictionary<string, DamageException>();
        int replacing;
        do
        {
            // A merge that ends while we list may show its last segment, which replaces others, and not those before it: so list again.
            replacing = opened.Values.Count(IsReplacing);
            await Parallel.ForEachAsync(
                _store.ListAsync(IndexFormat.Prefix, cancellationToken),
                new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
                async (segment, token) =>
                {
                    if (!IndexFormat.IsName(segment.Name) || opened.ContainsKey(segment.Name)) return;
                    try
                    {
                        var its = known.TryGetValue(segment.Name, out var open)
                            ? open
                            : await Copies.ReadAsync(_store, segment.Name, () => OpenSegmentAsync(segment, token), token).ConfigureAwait(false);
                        opened[segment.Name] = (its, segment.LastModified);
                        damaged.TryRemove(segment.Name, out _);
                    }
                    catch (DamageException e)
                    {
                        damaged[segment.Name] = e;
                    }
                }).ConfigureAwait(false);
        }
        while (opened.Values.Count(IsReplacing) > replacing);

        var listed = opened.Keys.Concat(damaged.Keys).ToHashSet();
        _superseded = opened.Values.SelectMany(o => o.Segment.Supersedes.Where(listed.Contains).Select(name => (Name: name, o.At)))
            .GroupBy(s => s.Name).ToImmutableDictionary(s => s.Key, s => s.Min(o => o.At));
        _unopened = [.. damaged.Values.Where(d => !_superseded.ContainsKey(d.ObjectName)).OrderBy(d => d.ObjectName, StringComparer.Ordinal)];
        var fresh = opened.Values.Select(o => o.Segment).Where(s => !_superseded.ContainsKey(s.Name))
            .OrderByDescending(s => s.EntryCount).ThenBy(s => s.Name, StringComparer.Ordinal).ToList();
        // Those that sessions of this process have added meanwhile stay.
        ImmutableInterlocked.Update(
            ref _segments,
            all => [.. fresh, .. all.Where(s => !known.ContainsKey(s.Name) && !listed.Contains(s.Name) && !_superseded.ContainsKey(s.Name))]);

        bool IsReplacing((IndexSegment Segment, DateTimeOffset At) its) => !known.ContainsKey(its.Segment.Name) && its.Segment.Supersedes.Count > 0;
    }

    public void Condemn(IEnumerable<string> packNames) => ImmutableInterlocked.Update(ref _condemned, static (all, more) => all.Union(more), packNames);

    /// <summary>Where to read the chunk, or null. A pack that is not marked for collection is preferred.</summary>
    public ValueTask<ChunkLocation?> FindAsync(ChunkId id, CancellationToken cancellationToken) => FindAsync(id, true, cancellationToken);

    /// <summary>Whether a new recovery point may refer to this chunk instead of storing it.</summary>
    public async ValueTask<bool> IsUsableAsync(ChunkId id, CancellationToken cancellationToken) =>
        await FindAsync(id, false, cancellationToken).ConfigureAwait(false) is { } place
        && (_keys.IsWriteOnly || EpochKinds.IsRepository(place.Pack.Epoch)); // on what a write-only writer stored, nobody else relies

    /// <summary>
    /// The places that must stay so that the chunk stays. Every collector that knows the same marks chooses the same: of several good ones
    /// the pack that comes first by name, and all of them if all are marked, since each mark may be carried out by somebody else.
    /// </summary>
    /// <exception cref="DamageException">A segment is damaged: what it names is not known.</exception>
    public async ValueTask FindKeptAsync(ChunkId id, List<ChunkLocation> places, CancellationToken cancellationToken)
    {
        places.Clear();
        var entries = new List<IndexEntry>(2);
        foreach (var segment in _segments)
        {
            entries.Clear();
            await segment.FindAllAsync(id, entries, cancellationToken).ConfigureAwait(false);
            foreach (var entry in entries) places.Add(new ChunkLocation(segment, entry.Block, entry.Offset, entry.Length));
        }

        if (places.Count < 2 || places.TrueForAll(p => _condemned.Contains(p.Pack.Name))) return;
        // A write-only writer may say that it stored what it did not: all places stay, so that a false one makes no true one go.
        if (places.Exists(p => !EpochKinds.IsRepository(p.Pack.Epoch))) return;
        var best = places.Where(p => !_condemned.Contains(p.Pack.Name)).MinBy(p => p.Pack.Name, StringComparer.Ordinal);
        places.Clear();
        places.Add(best);
    }

    /// <summary>Makes an index segment durable and adds it.</summary>
    public async ValueTask<long> AddSegmentAsync(IndexSegmentBuilder builder, CancellationToken cancellationToken)
    {
        // What the replaced ones have replaced must not come back into force when they are deleted or lost.
        if (builder.Supersedes.Count > 0) builder.Supersedes.AddRange(_superseded.Keys.Except(builder.Supersedes).ToList());
        var (name, bytes) = builder.Build(_keys);
        if (!await _store.CreateAsync(name, bytes, cancellationToken).ConfigureAwait(false))
            throw new RepositoryException($"{name} exists already; run the backup again.");
        var info = await _store.FindAsync(name, cancellationToken).ConfigureAwait(false) ?? throw new ObjectNotFoundException(name, _store.Description);
        var segment = await IndexSegment.OpenAsync(_store, _keys, _cache, info, cancellationToken).ConfigureAwait(false);
        var gone = segment.Supersedes.ToHashSet();
        foreach (var old in gone) ImmutableInterlocked.TryAdd(ref _superseded, old, info.LastModified);
        ImmutableInterlocked.Update(ref _segments, (all, added) => [.. all.Where(s => !gone.Contains(s.Name)), added], segment);
        return bytes.Length;
    }

    /// <summary>All packs that the index knows, each once.</summary>
    public IEnumerable<PackInfo> Packs() => _segments.SelectMany(s => s.Packs).DistinctBy(p => p.Name);

    public void Dispose()
    {
        foreach (var segment in _segments) segment.Dispose();
    }

    /// <summary>Another copy of the segment has its own size.</summary>
    private async ValueTask<IndexSegment> OpenSegmentAsync(ObjectInfo segment, CancellationToken cancellationToken)
    {
        if (_store is ICopies copies && copies.CopyOf(segment.Name) > 0)
            segment = await _store.FindAsync(segment.Name, cancellationToken).ConfigureAwait(false) ?? segment;
        return await IndexSegment.OpenAsync(_store, _keys, _cache, segment, cancellationToken).ConfigureAwait(false);
    }

    private async ValueTask<ChunkLocation?> FindAsync(ChunkId id, bool allowCondemned, CancellationToken cancellationToken)
    {
        ChunkLocation? condemned = null;
        foreach (var segment in _segments)
        {
            if (await FindInAsync(segment, id, cancellationToken).ConfigureAwait(false) is not { } entry) continue;
            var location = new ChunkLocation(segment, entry.Block, entry.Offset, entry.Length);
            if (_condemned.IsEmpty || !_condemned.Contains(location.Pack.Name)) return location;
            condemned = location;
        }

        return allowCondemned ? condemned : null;
    }

    /// <summary>A page that cannot be read must not keep anybody from finding the chunk in another segment.</summary>
    private async ValueTask<IndexEntry?> FindInAsync(IndexSegment segment, ChunkId id, CancellationToken cancellationToken)
    {
        try
        {
            return await segment.FindAsync(id, _condemned, cancellationToken).ConfigureAwait(false);
        }
        catch (DamageException e)
        {
            _spoilt.TryAdd(segment.Name, e);
            return null;
        }
    }
}
