using System.Buffers.Binary;

namespace FunctionsBackup.Repository.Contents;

/// <summary>How content items are written in list chunks and in catalog entries: id 24, length 8, no padding (FORMAT.md §4).</summary>
internal static class ItemList
{
    public const int ItemSize = ChunkId.Size + 8;

    /// <summary>Levels of lists above the data.</summary>
    public const int MaximumDepth = 8;

    public static void Write(Span<byte> destination, ContentItem item)
    {
        item.Id.Write(destination);
        BinaryPrimitives.WriteInt64LittleEndian(destination[ChunkId.Size..], item.IsHole ? item.Length : item.Length | ((long)item.Sealed << 32));
    }

    /// <exception cref="InvalidDataException">The length is not possible.</exception>
    public static ContentItem Read(ReadOnlySpan<byte> source)
    {
        var (id, length) = (ChunkId.Read(source), BinaryPrimitives.ReadInt64LittleEndian(source[ChunkId.Size..]));
        var item = id.IsNone ? ContentItem.Hole(length) : new ContentItem(id, (uint)length, (int)(length >> 32));
        return item.Length > 0
            && (item.IsHole || (item.Length <= ContentLimits.MaximumChunkSize && item.Sealed is >= 0 and <= ContentLimits.MaximumChunkSize))
            ? item
            : throw new InvalidDataException($"A content item has the impossible length {length}.");
    }

    /// <summary>The same content, if it is a possible one.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    public static ContentRef Checked(ContentRef content)
    {
        if (content.Size < 0 || content.Depth is < 0 or > MaximumDepth || content.Items.Length > ContentLimits.MaximumInlineItems)
            throw new InvalidDataException("A content has impossible sizes.");
        var left = content.Size;
        foreach (var item in content.Items)
        {
            if (content.Depth > 0 && item.IsHole) throw new InvalidDataException("A content has a hole where a list should be.");
            if (content.Depth == 0 && (left -= item.Length) < 0) break; // lengths are positive, so this cannot overflow
        }

        return content.Depth > 0 || left == 0 ? content : throw new InvalidDataException("A content's items do not add up to its size.");
    }

    /// <summary>The items of a list chunk.</summary>
    /// <exception cref="InvalidDataException">It is not a list chunk.</exception>
    public static ContentItem[] Decode(ReadOnlySpan<byte> chunk)
    {
        if (chunk.Length % ItemSize != 0) throw new InvalidDataException("A list chunk has a broken length.");
        var items = new ContentItem[chunk.Length / ItemSize];
        for (var i = 0; i < items.Length; i++) items[i] = Read(chunk[(i * ItemSize)..]);
        return items;
    }
}
