using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>Checks that the pages that begin in a part of a segment belong there.</summary>
internal static class WalPartCheck
{
    /// <exception cref="WalFormatException">One does not.</exception>
    public static void Check(WalSegmentName name, int segmentSize, int begin, ReadOnlySpan<byte> bytes, ulong system)
    {
        // Page sizes are known only from the segment's first page; the smallest one in use divides the others.
        const int pageSize = 8192;
        var start = name.Start(segmentSize).Value;
        var isStandard = true;
        if (begin == 0 && bytes.Length >= WalPageHeader.LongSize)
        {
            var header = WalPageHeader.Read(bytes);
            var first = WalLongHeader.Read(bytes);
            if (WalVersion.FromMagic(header.Magic) is null || (header.Info & WalPageHeader.LongHeader) == 0)
                throw new WalFormatException($"The beginning of WAL segment {name} is not WAL of PostgreSQL 13 to 17.");
            if (first.SystemIdentifier != system)
                throw new WalFormatException($"WAL segment {name} is of cluster {first.SystemIdentifier} and not of {system}.");
            if (first.SegmentSize != segmentSize)
                throw new WalFormatException($"WAL segment {name} says that it has {first.SegmentSize} bytes and not {segmentSize}.");
            isStandard = first.BlockSize == pageSize;
        }

        if (!isStandard) return;
        for (var at = (begin + pageSize - 1) / pageSize * pageSize; at + WalPageHeader.ShortSize <= begin + bytes.Length; at += pageSize)
        {
            var header = WalPageHeader.Read(bytes[(at - begin)..]);
            if (header.Magic == 0 || WalVersion.FromMagic(header.Magic) is null) continue; // other page size, or empty after a switch
            if (header.Address.Value != start + (ulong)at || header.Timeline > name.Timeline)
                throw new WalFormatException(
                    $"A page of WAL segment {name} at {new Lsn(start + (ulong)at)} belongs at {header.Address} of timeline "
                        + $"{header.Timeline}.");
        }
    }
}
