using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using FunctionsBackup.Repository.Reading;

namespace FunctionsBackup.Repository.Contents;

/// <summary>Walks the item lists of contents.</summary>
internal static class ContentReader
{
    /// <summary>The runs of a content in order. List chunks are fetched some at a time.</summary>
    /// <exception cref="DamageException">A list is missing or damaged.</exception>
    public static async IAsyncEnumerable<ContentItem> ReadItemsAsync(
        ChunkFetcher fetcher, ContentRef content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (content.Depth == 0)
        {
            foreach (var item in content.Items) yield return item;
            yield break;
        }

        await foreach (var list in ReadListsAsync(fetcher, content, cancellationToken).ConfigureAwait(false))
            foreach (var item in list) yield return item;
    }

    /// <summary>
    /// The names of the list chunks of a content, all levels, and of its data chunks: everything that must exist for it to be restored.
    /// </summary>
    public static async IAsyncEnumerable<(ContentItem Item, bool IsList)> ReadAllAsync(
        ChunkFetcher fetcher, ContentRef content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (content.Depth > 0)
            foreach (var item in content.Items) yield return (item, true);
        var level = content;
        while (level.Depth > 1)
        {
            var below = ImmutableArray.CreateBuilder<ContentItem>();
            foreach (var item in level.Items)
                below.AddRange(await ReadListAsync(fetcher, item, cancellationToken).ConfigureAwait(false));
            level = new ContentRef(content.Size, level.Depth - 1, below.ToImmutable());
            foreach (var item in level.Items) yield return (item, true);
        }

        await foreach (var item in ReadItemsAsync(fetcher, level, cancellationToken).ConfigureAwait(false)) yield return (item, false);
    }

    private static async IAsyncEnumerable<ContentItem[]> ReadListsAsync(
        ChunkFetcher fetcher, ContentRef content, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (content.Depth > ItemList.MaximumDepth) throw new DamageException("catalog", $"A content claims {content.Depth} levels of lists.");
        foreach (var item in content.Items)
        {
            if (item.IsHole) throw new DamageException("catalog", "A content list holds a hole where a list should be.");
            var items = await ReadListAsync(fetcher, item, cancellationToken).ConfigureAwait(false);
            if (content.Depth == 1)
            {
                yield return items;
                continue;
            }

            var below = new ContentRef(0, content.Depth - 1, [.. items]);
            await foreach (var list in ReadListsAsync(fetcher, below, cancellationToken).ConfigureAwait(false)) yield return list;
        }
    }

    private static async ValueTask<ContentItem[]> ReadListAsync(ChunkFetcher fetcher, ContentItem item, CancellationToken cancellationToken)
    {
        var bytes = await fetcher.ReadChunkAsync(item.Id, (int)item.Length, cancellationToken).ConfigureAwait(false);
        try
        {
            return ItemList.Decode(bytes);
        }
        catch (InvalidDataException e)
        {
            throw new DamageException($"chunk {item.Id}", $"List chunk {item.Id} is damaged: {e.Message}", e);
        }
    }
}
