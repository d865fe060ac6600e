namespace FunctionsBackup.Repository.Indexing;

/// <summary>
/// Chunks that this session has taken in and no index segment names yet. Each is taken in once, whoever comes first. Bounded: a segment is
/// written whenever it has grown to <see cref="IndexFormat.MaximumEntries"/> / 4. Safe for concurrent use.
/// </summary>
internal sealed class PendingChunks
{
    private readonly Lock _gate = new();
    private readonly HashSet<ChunkId> _chunks = [];

    public bool IsEmpty
    {
        get
        {
            lock (_gate) return _chunks.Count == 0;
        }
    }

    public bool Contains(ChunkId id)
    {
        lock (_gate) return _chunks.Contains(id);
    }

    /// <summary>True for the one caller who must store the chunk.</summary>
    public bool TryAdd(ChunkId id)
    {
        lock (_gate) return _chunks.Add(id);
    }

    /// <summary>Call after the segment that names them can be found in the index.</summary>
    public void Remove(IEnumerable<ChunkId> ids)
    {
        lock (_gate)
            foreach (var id in ids) _chunks.Remove(id);
    }
}
