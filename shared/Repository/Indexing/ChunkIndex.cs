using System.Collections.Concurrent;
using System.Collections.Immutable;
using FunctionsBackup.Repository.Packing;
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

    private ChunkIndex(IObjectStore store, RepositoryKeys keys)
    {
        _store = store;
        _keys = keys;
    }

    public ImmutableArray<IndexSegment> Segments => _segments;

    /// <summary>Segments that could not be opened and that no other supersedes. Backups and restores refuse while there are any.</summary>
    public IReadOnlyList<DamageException> Damaged { get; private set; } = [];

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
        var known = _segments.ToDictionary(s => s.Name);
        var opened = new ConcurrentBag<IndexSegment>();
        var damaged = new ConcurrentBag<DamageException>();
        await Parallel.ForEachAsync(
            _store.ListAsync(IndexFormat.Prefix, cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = cancellationToken },
            async (segment, token) =>
            {
                if (!IndexFormat.IsName(segment.Name)) return;
                try
                {
                    opened.Add(known.TryGetValue(segment.Name, out var open)
                        ? open
                        : await IndexSegment.OpenAsync(_store, _keys, _cache, segment, token).ConfigureAwait(false));
                }
                catch (DamageException e)
                {
                    damaged.Add(e);
                }
            }).ConfigureAwait(false);
        var superseded = opened.SelectMany(s => s.Supersedes).ToHashSet();
        Damaged = [.. damaged.Where(d => !superseded.Contains(d.ObjectName)).OrderBy(d => d.ObjectName, StringComparer.Ordinal)];
        _segments = [.. opened.Where(s => !superseded.Contains(s.Name)).OrderByDescending(s => s.EntryCount)];
    }

    public void Condemn(IEnumerable<string> packNames) => _condemned = [.. _condemned, .. packNames];

    /// <summary>Where to read the chunk, or null. A pack that is not marked for collection is preferred.</summary>
    public ValueTask<ChunkLocation?> FindAsync(ChunkId id, CancellationToken cancellationToken) => FindAsync(id, true, cancellationToken);

    /// <summary>Whether a new recovery point may refer to this chunk instead of storing it.</summary>
    public async ValueTask<bool> IsUsableAsync(ChunkId id, CancellationToken cancellationToken) =>
        await FindAsync(id, false, cancellationToken).ConfigureAwait(false) is not null;

    /// <summary>Makes an index segment durable and adds it.</summary>
    public async ValueTask<long> AddSegmentAsync(IndexSegmentBuilder builder, CancellationToken cancellationToken)
    {
        var (name, bytes) = builder.Build(_keys);
        if (!await _store.CreateAsync(name, bytes, cancellationToken).ConfigureAwait(false))
            throw new RepositoryException($"{name} exists already; run the backup again.");
        var info = await _store.FindAsync(name, cancellationToken).ConfigureAwait(false) ?? throw new ObjectNotFoundException(name, _store.Description);
        var segment = await IndexSegment.OpenAsync(_store, _keys, _cache, info, cancellationToken).ConfigureAwait(false);
        var gone = segment.Supersedes.ToHashSet();
        ImmutableInterlocked.Update(ref _segments, (all, added) => [.. all.Where(s => !gone.Contains(s.Name)), added], segment);
        return bytes.Length;
    }

    /// <summary>All packs that the index knows, each once.</summary>
    public IEnumerable<PackInfo> Packs() => _segments.SelectMany(s => s.Packs).DistinctBy(p => p.Name);

    public void Dispose()
    {
        foreach (var segment in _segments) segment.Dispose();
    }

    private async ValueTask<ChunkLocation?> FindAsync(ChunkId id, bool allowCondemned, CancellationToken cancellationToken)
    {
        ChunkLocation? condemned = null;
        foreach (var segment in _segments)
        {
            if (await segment.FindAsync(id, cancellationToken).ConfigureAwait(false) is not { } entry) continue;
            var location = new ChunkLocation(segment, entry.Block, entry.Offset, entry.Length);
            if (_condemned.IsEmpty || !_condemned.Contains(location.Pack.Name)) return location;
            condemned = location;
        }

        return allowCondemned ? condemned : null;
    }
}
