using System.Collections.Immutable;

namespace FunctionsBackup.Repository.Contents;

/// <summary>
/// The bytes of a file, by reference: an ordered list of items, kept inline when short and otherwise in a tree of list chunks, so that a
/// 100 GB file is a few dozen bytes here.
/// </summary>
/// <param name="Size">Bytes of the content, holes included.</param>
/// <param name="Depth">0: <paramref name="Items"/> are the content's own runs. n: they name list chunks whose items are of depth n-1.</param>
/// <param name="Items">For depth 0 the lengths add up to <paramref name="Size"/>; otherwise a length is the list chunk's own size in bytes.</param>
public sealed record ContentRef(long Size, int Depth, ImmutableArray<ContentItem> Items)
{
    public static ContentRef Empty { get; } = new(0, 0, []);
}
