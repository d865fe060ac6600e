using System.Buffers.Binary;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// Reads WAL segment by segment and checks all that a server checks in recovery: page headers, the chain of xl_prev, the CRC-32C of every
/// record, records that go on over pages and segments, overwritten continuations. Never trusts a length before what it covers is there.
/// Not for concurrent use.
/// </summary>
/// <param name="segmentSize">Bytes per segment.</param>
/// <param name="systemIdentifier">The cluster, or null to take any.</param>
/// <param name="visitor">Is told of records that matter to recovery; null: nobody.</param>
public sealed class WalDecoder(int segmentSize, ulong? systemIdentifier, IWalVisitor? visitor)
{
    private const int RecordHeaderSize = 24;
    private readonly WalSplitRecord _split = new();
    private readonly IWalVisitor? _records = visitor is { WantsRecords: true } ? visitor : null;
    private ulong _base;
    private uint _timeline;
    private int _blockSize;
    private WalStop? _stop;

    /// <summary>Counts of whole records, by resource manager.</summary>
    public long[] Records { get; } = new long[256];

    /// <summary>The first record that began in what was read.</summary>
    public Lsn? FirstRecord { get; private set; }

    /// <summary>The xl_prev of that record, or null if its header goes on in bytes that were not read.</summary>
    public Lsn? FirstPrevious { get; private set; }

    /// <summary>The start of the last whole record read.</summary>
    public Lsn? LastRecord { get; private set; }

    /// <summary>The end of the last whole record read: where the next may begin.</summary>
    public Lsn? End { get; private set; }

    /// <summary>Timeline of the last page read.</summary>
    public uint Timeline => _timeline;

    public ushort Magic { get; private set; }

    public WalLongHeader LongHeader { get; private set; }

    /// <summary>A record that was cut by the end of the last segment; null if none was.</summary>
    public WalSplitRecord? Tail => _split.IsOpen ? _split : null;

    /// <summary>
    /// Bytes of a record begun before the first segment read, as its first page says; their CRC is in <see cref="Head"/>.
    /// </summary>
    public WalHead? Head { get; private set; }

    /// <summary>Whether the first segment read overwrites the continuation of a record that the one before it left open.</summary>
    public bool Overwrites { get; private set; }

    /// <summary>
    /// Reads one segment, which must follow the one read before. A shorter span is its beginning, still being written.
    /// </summary>
    /// <param name="bytes">The segment.</param>
    /// <param name="start">Its LSN.</param>
    /// <param name="timeline">The timeline in its name; its pages may be of an earlier one.</param>
    public WalStop Feed(ReadOnlySpan<byte> bytes, Lsn start, uint timeline)
    {
        if (_stop is { IsComplete: false }) throw new InvalidOperationException("The WAL ended before this segment.");
        if (_stop is { } last && last.At != start)
            throw new ArgumentException($"The segment at {start} does not follow {last.At}.", nameof(start));
        if (bytes.Length > segmentSize || start.Value % (ulong)segmentSize != 0)
            throw new ArgumentException("That is not a segment.", nameof(bytes));
        _base = start.Value;
        var stop = ReadPages(bytes, timeline);
        _stop = stop;
        return stop;
    }

    private WalStop ReadPages(ReadOnlySpan<byte> bytes, uint timeline)
    {
        var isFirst = _stop is null;
        for (var at = 0; at < segmentSize;)
        {
            if (CheckHeader(bytes, at, timeline, out var header) is { } wrong) return wrong;
            var pageEnd = at + _blockSize;
            var position = at + header.Size;
            if (isFirst && at == 0) Overwrites = header.IsOverwrite;
            if (_split.IsOpen)
            {
                if (header.IsOverwrite)
                {
                    _split.Abandon();
                    Head = Head is { IsOpen: true } open ? open with { IsAbandoned = true } : Head;
                }
                else if (ContinueRecord(bytes, at, header, ref position) is { } cut)
                {
                    return cut;
                }
            }
            else if (header.IsContinuation)
            {
                if (!isFirst || at != 0) return Broken(at, "the page continues a record that no page before it began");
                if (header.Remaining == 0) return Broken(at, "the page continues a record by no bytes");
                _split.BeginForeign(header.Remaining);
                Head = new WalHead(header.Remaining);
                if (ContinueRecord(bytes, at, header, ref position) is { } cut) return cut;
            }

            if (!_split.IsOpen && position < pageEnd && ReadRecords(bytes, position, pageEnd) is { } end) return end;
            at = pageEnd;
        }

        return new WalStop(WalStopKind.Filled, new Lsn(_base + (ulong)segmentSize), null);
    }

    private WalStop? CheckHeader(ReadOnlySpan<byte> bytes, int at, uint timeline, out WalPageHeader header)
    {
        header = default;
        var needed = at == 0 ? WalPageHeader.LongSize : WalPageHeader.ShortSize;
        if (bytes.Length - at < needed) return Ended(at, "the bytes end");
        header = WalPageHeader.Read(bytes[at..]);
        if (header.Magic == 0 && bytes.Slice(at, needed).IndexOfAnyExcept((byte)0) < 0) return Ended(at, "the page is empty");
        if (at == 0)
        {
            if (WalVersion.FromMagic(header.Magic) is null)
                return Broken(at, $"the page is not of PostgreSQL 13 to 17 (magic {header.Magic:X4})");
            if ((header.Info & WalPageHeader.LongHeader) == 0) return Broken(at, "the segment has no long page header");
            if (Magic != 0 && Magic != header.Magic)
                return Broken(at, "the segment is of another PostgreSQL version than the one before it");
            var known = LongHeader;
            Magic = header.Magic;
            LongHeader = WalLongHeader.Read(bytes);
            if (LongHeader.SegmentSize != segmentSize)
                return Broken(at, $"the segment says that it has {LongHeader.SegmentSize} bytes and not {segmentSize}");
            if (!WalVersion.IsBlockSize(LongHeader.BlockSize))
                return Broken(at, $"the segment says that its pages have {LongHeader.BlockSize} bytes");
            if (known.BlockSize != 0 && known != LongHeader) return Broken(at, "the segment is of another cluster than the one before it");
            if (systemIdentifier is { } expected && LongHeader.SystemIdentifier != expected)
                return Broken(at, $"the segment is of cluster {LongHeader.SystemIdentifier} and not of {expected}");
            _blockSize = (int)LongHeader.BlockSize;
        }
        else
        {
            if (header.Magic != Magic) return Broken(at, $"the page has no valid header (magic {header.Magic:X4})");
            if ((header.Info & WalPageHeader.LongHeader) != 0) return Broken(at, "the page has a long header in the middle of a segment");
        }

        if ((header.Info & ~WalPageHeader.AllFlags) != 0) return Broken(at, $"the page has unknown flags {header.Info:X4}");
        if (header.Address.Value != _base + (ulong)at)
        {
            return at > 0 && header.Address.Value < _base
                ? Ended(at, $"the page is left from the file's earlier use at {header.Address}")
                : Broken(at, $"the page belongs at {header.Address}");
        }

        if (header.Timeline > timeline || header.Timeline == 0)
            return Broken(at, $"the page is of timeline {header.Timeline}, the segment of {timeline}");
        if (header.Timeline < _timeline) return Broken(at, $"the page is of timeline {header.Timeline}, the one before it of {_timeline}");
        _timeline = header.Timeline;
        return null;
    }

    private WalStop? ContinueRecord(ReadOnlySpan<byte> bytes, int at, in WalPageHeader header, ref int position)
    {
        if (!header.IsContinuation) return Broken(at, $"the page does not continue the record at {Describe(_split.Start)}");
        if (header.Remaining == 0 || header.Remaining != _split.Remaining)
        {
            var (stated, missing) = (header.Remaining, _split.Remaining);
            return Broken(at, $"the page continues a record by {stated} bytes where {missing} are missing of {Describe(_split.Start)}");
        }

        var take = (int)Math.Min(header.Remaining, (uint)(_blockSize - header.Size));
        var there = Math.Min(take, bytes.Length - position);
        var piece = bytes.Slice(position, there);
        if (Head is { IsOpen: true } && _split.Start is null) Head.Append(piece);
        if (there < take) return Ended(_split.Start is { } s ? s.Value : _base + (ulong)at, "the bytes end within the record");
        _split.Append(piece);
        position += (take + 7) & ~7;
        if (_split.Remaining > 0) return null;
        if (_split.Start is not { } start)
        {
            _split.Abandon();
            return null;
        }

        var end = new Lsn(_base + (ulong)position);
        if (_split.Check() is { } wrong) return Broken(start, wrong);
        if (CheckPrevious(start, _split.Previous) is { } chain) return chain;
        return Complete(start, end, _split.Manager, _split.Info, _split.Xid, _split.TakeBody());
    }

    private WalStop? ReadRecords(ReadOnlySpan<byte> bytes, int position, int pageEnd)
    {
        while (position < pageEnd)
        {
            var start = new Lsn(_base + (ulong)position);
            var there = Math.Min(pageEnd, bytes.Length) - position;
            if (there < sizeof(uint)) return Ended(start.Value, "the bytes end");
            var length = BinaryPrimitives.ReadUInt32LittleEndian(bytes[position..]);
            if (length == 0) return Ended(start.Value, "no record follows");
            if (length < RecordHeaderSize) return Broken(start, $"the record says that it has {length} bytes");
            if (length > (uint)(pageEnd - position))
            {
                if (there < pageEnd - position) return Ended(start.Value, "the bytes end within the record");
                // The record's own length is believed only as far as the next page's header agrees with it.
                var stated = there >= RecordHeaderSize ? BinaryPrimitives.ReadUInt64LittleEndian(bytes[(position + 8)..]) : (ulong?)null;
                NoteFirst(start, stated is { } at ? new Lsn(at) : null);
                if (stated is { } known && CheckPrevious(start, known) is { } wrong) return wrong;
                _split.Begin(start, length, bytes[position..pageEnd], visitor is not null);
                return null;
            }

            if (length > (uint)there) return Ended(start.Value, "the bytes end within the record");
            var record = bytes.Slice(position, (int)length);
            var previous = BinaryPrimitives.ReadUInt64LittleEndian(record[8..]);
            if (CheckPrevious(start, previous) is { } chain) return chain;
            var crc = Crc32C.Update(Crc32C.Update(Crc32C.Initial, record[RecordHeaderSize..]), record[..20]) ^ 0xFFFFFFFF;
            if (crc != BinaryPrimitives.ReadUInt32LittleEndian(record[20..])) return Broken(start, "the record's CRC is wrong");
            NoteFirst(start, new Lsn(previous));
            position += (int)((length + 7) & ~7u);
            var manager = record[17];
            var end = new Lsn(_base + (ulong)position);
            var xid = BinaryPrimitives.ReadUInt32LittleEndian(record[4..]);
            if (Complete(start, end, manager, record[16], xid, record[RecordHeaderSize..]) is { } stop) return stop;
        }

        return null;
    }

    private WalStop? Complete(Lsn start, Lsn end, byte manager, byte info, uint xid, ReadOnlySpan<byte> body)
    {
        Records[manager]++;
        LastRecord = start;
        End = end;
        _records?.OnRecord(start, end);
        if (manager > WalRecordBody.TransactionManager) return null;
        if (visitor is not null && WalRecordBody.IsInteresting(manager, info))
            WalRecordBody.Decode(manager, info, xid, start, end, body, visitor);
        if (!WalRecordBody.IsSwitch(manager, info)) return null;
        End = new Lsn(_base + (ulong)segmentSize);
        return new WalStop(WalStopKind.Switched, End.Value, null);
    }

    private WalStop? CheckPrevious(Lsn start, ulong previous)
    {
        if (LastRecord is { } last ? previous == last.Value : previous < start.Value) return null;
        return Broken(start, LastRecord is { } expected
            ? $"the record says that the one before it is at {new Lsn(previous)}, but that is at {expected}"
            : $"the record says that the one before it is at {new Lsn(previous)}");
    }

    private void NoteFirst(Lsn start, Lsn? previous)
    {
        if (FirstRecord is not null) return;
        FirstRecord = start;
        FirstPrevious = previous;
    }

    private WalStop Ended(int at, string reason) => Ended(_split.Start is { } open ? open.Value : _base + (ulong)at, reason);

    private static WalStop Ended(ulong at, string reason) => new(WalStopKind.EndOfWal, new Lsn(at), reason);

    private WalStop Broken(int at, string reason) => Broken(new Lsn(_base + (ulong)at), reason);

    private static WalStop Broken(Lsn at, string reason) => new(WalStopKind.Broken, at, reason);

    private static string Describe(Lsn? start) => start is { } known ? known.ToString() : "an earlier segment";
}
