namespace FunctionsBackup.Repository.Contents;

/// <summary>Sizes that bound memory while reading and writing contents (FORMAT.md §4).</summary>
public static class ContentLimits
{
    /// <summary>Largest chunk, bytes: also the largest plaintext of a block.</summary>
    public const int MaximumChunkSize = 2 << 20;

    /// <summary>Chunk size for PostgreSQL relation files: two of the usual pages. Contents of other sizes are read all the same.</summary>
    public const int PageChunkSize = 16 << 10;

    /// <summary>Chunk size for relation files with pages of this size, at least one page.</summary>
    public static int PageChunk(int pageSize) => Math.Max(PageChunkSize, pageSize);

    /// <summary>A content with more items than this keeps them in list chunks instead of inline.</summary>
    public const int MaximumInlineItems = 16;

    /// <summary>Items per list chunk.</summary>
    public const int ItemsPerList = 2048;
}
