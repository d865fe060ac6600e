using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository.Contents;

/// <summary>How a content is cut into chunks.</summary>
/// <param name="FixedChunkSize">0: content-defined chunks (files). Otherwise chunks of exactly this many bytes, aligned to the start.</param>
/// <param name="Parent">
/// The same file in the recovery point before, if known: chunks that come again in the same order are then recognised without an index
/// lookup. Only a hint; it never changes the result.
/// </param>
public sealed record ContentOptions(int FixedChunkSize = 0, ContentRef? Parent = null)
{
    /// <summary>The data subject whose it is: every chunk is sealed with this key. Null: nobody's.</summary>
    public SubjectKey? Subject { get; init; }

    /// <summary>
    /// Runs of the parent that begin the content: they are taken over, and the source gives only what follows. The caller has made sure that
    /// the source would have given just these bytes, and that the parent's recovery point will be named in the record. Empty: none.
    /// </summary>
    public IReadOnlyList<ContentItem> Taken { get; init; } = [];

    public static ContentOptions ContentDefined { get; } = new();

    /// <summary>For PostgreSQL relation files with pages of this size.</summary>
    public static ContentOptions Pages(int pageSize) => new(ContentLimits.PageChunk(pageSize));
}
