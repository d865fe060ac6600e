using System.Buffers.Binary;

namespace FunctionsBackup.Repository.Contents;

/// <summary>How content items are written in list chunks and in catalog entries: id 24, length 8, no padding (FORMAT.md §4).</summary>
internal static class ItemList
{
    public const int ItemSize = ChunkId.Size + 8;

    public static void Write(Span<byte> destination, ContentItem item)
    {
        item.Id.Write(destination);
        BinaryPrimitives.WriteInt64LittleEndian(destination[ChunkId.Size..], item.Length);
    }

    /// <exception cref="InvalidDataException">The length is not possible.</exception>
    public static ContentItem Read(ReadOnlySpan<byte> source)
    {
        var item = new ContentItem(ChunkId.Read(source), BinaryPrimitives.ReadInt64LittleEndian(source[ChunkId.Size..]));
        return item.Length > 0 && (item.IsHole || item.Length <= ContentLimits.MaximumChunkSize)
            ? item
            : throw new InvalidDataException($"A content item has the impossible length {item.Length}.");
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
