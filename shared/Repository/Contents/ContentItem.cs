namespace FunctionsBackup.Repository.Contents;

/// <summary>One run of a content: a chunk of data, or a hole (zeros that take no space).</summary>
/// <param name="Id">The chunk, or the none id for a hole.</param>
/// <param name="Length">Bytes covered. A chunk's length is at most <see cref="ContentLimits.MaximumChunkSize"/>; a hole's is any.</param>
/// <param name="Sealed">
/// Of a chunk that was sealed for a data subject before it went into a pack: its length there. 0: the same as <paramref name="Length"/>.
/// </param>
public readonly record struct ContentItem(ChunkId Id, long Length, int Sealed = 0)
{
    /// <summary>The chunk's length in its pack and in the index.</summary>
    public long PackedLength => Sealed == 0 ? Length : Sealed;

    public bool IsHole => Id.IsNone;

    public static ContentItem Hole(long length) => new(default, length);
}
