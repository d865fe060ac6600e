namespace FunctionsBackup.Repository.Contents;

/// <summary>One run of a content: a chunk of data, or a hole (zeros that take no space).</summary>
/// <param name="Id">The chunk, or the none id for a hole.</param>
/// <param name="Length">Bytes covered. A chunk's length is at most <see cref="ContentLimits.MaximumChunkSize"/>; a hole's is any.</param>
public readonly record struct ContentItem(ChunkId Id, long Length)
{
    public bool IsHole => Id.IsNone;

    public static ContentItem Hole(long length) => new(default, length);
}
