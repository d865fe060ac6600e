using System.Buffers;
using System.Collections.Immutable;
using FunctionsBackup.Repository.Contents;
using FunctionsBackup.Repository.Subjects;

namespace FunctionsBackup.Repository.Catalogs;

/// <summary>The bytes of catalog entries (FORMAT.md §7). A leaf stands alone: its first entry has its whole path, later ones what differs.</summary>
internal static class CatalogCodec
{
    [Flags]
    private enum Parts : byte
    {
        None = 0,
        LinkTarget = 1,
        HardLink = 2,
        ExtendedAttributes = 4,
        SpecialDevice = 8,
        Extra = 16,
        Content = 32,
        Subject = 64,
    }

    public static void Write(IBufferWriter<byte> writer, CatalogEntry entry, ReadOnlySpan<byte> previousPath)
    {
        var output = new VarintWriter(writer);
        var path = entry.Path.Span;
        var shared = path.CommonPrefixLength(previousPath);
        var parts = Parts.None;
        if (!entry.LinkTarget.IsEmpty) parts |= Parts.LinkTarget;
        if (!entry.HardLinkTo.IsEmpty) parts |= Parts.HardLink;
        if (entry.ExtendedAttributes.Count > 0) parts |= Parts.ExtendedAttributes;
        if (entry.SpecialDevice != 0) parts |= Parts.SpecialDevice;
        if (!entry.Extra.IsEmpty) parts |= Parts.Extra;
        if (entry.Content is not null) parts |= Parts.Content;
        if (entry.Subject is not null) parts |= Parts.Subject;

        output.Unsigned((ulong)shared);
        output.Bytes(path[shared..]);
        output.Byte((byte)entry.Kind);
        output.Byte((byte)parts);
        output.Unsigned(entry.Mode);
        output.Unsigned(entry.UserId);
        output.Unsigned(entry.GroupId);
        output.Signed(entry.ModifiedNanoseconds);
        output.Signed(entry.ChangedNanoseconds);
        output.Unsigned(entry.Inode);
        output.Unsigned(entry.Device);
        if (parts.HasFlag(Parts.LinkTarget)) output.Bytes(entry.LinkTarget.Span);
        if (parts.HasFlag(Parts.HardLink)) output.Bytes(entry.HardLinkTo.Span);
        if (parts.HasFlag(Parts.SpecialDevice)) output.Unsigned(entry.SpecialDevice);
        if (parts.HasFlag(Parts.Extra)) output.Bytes(entry.Extra.Span);
        if (parts.HasFlag(Parts.ExtendedAttributes))
        {
            output.Unsigned((ulong)entry.ExtendedAttributes.Count);
            foreach (var attribute in entry.ExtendedAttributes)
            {
                output.Bytes(attribute.Name.Span);
                output.Bytes(attribute.Value.Span);
            }
        }

        if (entry.Content is { } content)
        {
            output.Unsigned((ulong)content.Size);
            output.Unsigned((ulong)content.Depth);
            output.Unsigned((ulong)content.Items.Length);
            foreach (var item in content.Items) ItemList.Write(output.Reserve(ItemList.ItemSize), item);
        }

        if (entry.Subject is { } subject) subject.Write(output.Reserve(SubjectRef.Size));
        output.Flush();
    }

    /// <summary>Decodes a leaf.</summary>
    /// <exception cref="InvalidDataException">It is not one.</exception>
    public static List<CatalogEntry> ReadLeaf(ReadOnlySpan<byte> leaf)
    {
        var entries = new List<CatalogEntry>();
        var input = new VarintReader(leaf);
        ReadOnlySpan<byte> previous = [];
        while (!input.AtEnd)
        {
            var entry = Read(ref input, previous);
            if (!CatalogPath.IsValid(entry.Path.Span)) throw new InvalidDataException("A catalog path is not legal.");
            if (entries.Count > 0 && CatalogOrder.Compare(previous, entry.Path.Span) >= 0)
                throw new InvalidDataException("Catalog entries are out of order.");
            previous = entry.Path.Span;
            entries.Add(entry);
        }

        return entries;
    }

    private static CatalogEntry Read(ref VarintReader input, ReadOnlySpan<byte> previousPath)
    {
        var shared = input.Count(previousPath.Length);
        var rest = input.Bytes(CatalogPath.MaximumLength);
        var path = new byte[shared + rest.Length];
        previousPath[..shared].CopyTo(path);
        rest.CopyTo(path.AsSpan(shared));
        var kind = (EntryKind)input.Byte();
        if (!Enum.IsDefined(kind)) throw new InvalidDataException($"Unknown kind {(byte)kind} of catalog entry.");
        var parts = (Parts)input.Byte();
        if ((parts & ~(Parts)127) != 0 || parts.HasFlag(Parts.Content) != (kind == EntryKind.File)
            || (parts.HasFlag(Parts.Subject) && kind != EntryKind.File))
            throw new InvalidDataException("A catalog entry has impossible parts.");
        return new CatalogEntry
        {
            Path = path,
            Kind = kind,
            Mode = input.UInt32(),
            UserId = input.UInt32(),
            GroupId = input.UInt32(),
            ModifiedNanoseconds = input.Signed(),
            ChangedNanoseconds = input.Signed(),
            Inode = input.Unsigned(),
            Device = input.Unsigned(),
            LinkTarget = parts.HasFlag(Parts.LinkTarget) ? input.Bytes(CatalogLimits.MaximumLinkTarget).ToArray() : default,
            HardLinkTo = parts.HasFlag(Parts.HardLink) ? input.Bytes(CatalogPath.MaximumLength).ToArray() : default,
            SpecialDevice = parts.HasFlag(Parts.SpecialDevice) ? input.Unsigned() : 0,
            Extra = parts.HasFlag(Parts.Extra) ? input.Bytes(CatalogLimits.MaximumExtra).ToArray() : default,
            ExtendedAttributes = parts.HasFlag(Parts.ExtendedAttributes) ? ReadAttributes(ref input) : [],
            Content = parts.HasFlag(Parts.Content) ? ReadContent(ref input) : null,
            Subject = parts.HasFlag(Parts.Subject) ? SubjectRef.Read(input.Take(SubjectRef.Size)) : null,
        };
    }

    private static ExtendedAttribute[] ReadAttributes(ref VarintReader input)
    {
        var attributes = new ExtendedAttribute[input.Count(CatalogLimits.MaximumAttributes)];
        for (var i = 0; i < attributes.Length; i++)
            attributes[i] = new ExtendedAttribute(
                input.Bytes(CatalogLimits.MaximumAttributeName).ToArray(), input.Bytes(CatalogLimits.MaximumAttributeValue).ToArray());
        return attributes;
    }

    private static ContentRef ReadContent(ref VarintReader input)
    {
        var size = input.Unsigned();
        if (size > long.MaxValue) throw new InvalidDataException("A content has an impossible size.");
        var depth = input.Count(8);
        var items = ImmutableArray.CreateBuilder<ContentItem>(input.Count(ContentLimits.MaximumInlineItems));
        for (var i = 0; i < items.Capacity; i++) items.Add(ItemList.Read(input.Take(ItemList.ItemSize)));
        return ItemList.Checked(new ContentRef((long)size, depth, items.MoveToImmutable()));
    }
}
