using System.Buffers.Binary;
using FunctionsBackup.Components.PostgreSql;
using FunctionsBackup.Components.PostgreSql.Wal;
using FunctionsBackup.Components.PostgreSql.Wal.Reading;

namespace FunctionsBackup.Tests.Components.PostgreSql.Wal;

/// <summary>Writes WAL as PostgreSQL 15 lays it out, to have records just where a test wants them.</summary>
internal sealed class SyntheticWal
{
    public const int Size = 1 << 20;
    public const ulong System = 7_123_456_789_012_345_678;
    private const int Page = 8192;
    private const ulong Origin = 3 * Size;
    private readonly MemoryStream _bytes = new();
    private ulong _previous = Origin - 64;
    private ushort _nextFlags;

    /// <summary>Where the next record would begin, page headers not counted.</summary>
    public ulong Position => Origin + (ulong)_bytes.Length;

    /// <summary>Bytes left in the segment.</summary>
    public int Left => Size - (int)(Position % Size);

    public int Records { get; private set; }

    /// <summary>Writes a record of the given length in all, header included.</summary>
    public ulong Append(int length)
    {
        BeginPage(0);
        var start = Position;
        Write(Build(length));
        _previous = start;
        Records++;
        return start;
    }

    /// <summary>Fills with records until exactly so many bytes of the segment are left, a multiple of 8.</summary>
    public void FillUntil(int left)
    {
        while (Left > left + Page + 2000) Append(1000);
        BeginPage(0);
        var end = Position + (ulong)(Left - left);
        // The headers of the pages that begin on the way are not part of the record.
        var pages = (int)(((end - 1) / Page) - (Position / Page));
        Append(Left - left - (pages * WalPageHeader.ShortSize));
    }

    /// <summary>Begins a record that is lost from the end of its page on, as by a crash; what follows overwrites the rest of it.</summary>
    public void Abandon(int length)
    {
        BeginPage(0);
        var record = Build(length);
        var there = Page - (int)(Position % Page);
        record.Length.ShouldBeGreaterThan(there);
        _bytes.Write(record.AsSpan(0, there));
        _nextFlags = WalPageHeader.FirstIsOverwriteContinuation;
    }

    /// <summary>The whole segments so far.</summary>
    public List<(WalSegmentName Name, byte[] Bytes)> Segments()
    {
        var all = _bytes.ToArray();
        return [.. Enumerable.Range(0, all.Length / Size).Select(
            i => (WalSegmentName.Containing(1, new Lsn(Origin + (ulong)i * Size), Size), all[(i * Size)..((i + 1) * Size)]))];
    }

    private byte[] Build(int length)
    {
        var record = new byte[length];
        new Random(length).NextBytes(record);
        BinaryPrimitives.WriteUInt32LittleEndian(record, (uint)length);
        BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(8), _previous);
        record[16] = 0;
        record[17] = 10;
        var crc = Crc32C.Update(Crc32C.Update(Crc32C.Initial, record.AsSpan(24)), record.AsSpan(0, 20)) ^ 0xFFFFFFFF;
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(20), crc);
        return record;
    }

    private void Write(ReadOnlySpan<byte> record)
    {
        while (!record.IsEmpty)
        {
            BeginPage((uint)record.Length);
            var take = Math.Min(record.Length, Page - (int)(Position % Page));
            _bytes.Write(record[..take]);
            record = record[take..];
        }

        while (Position % 8 != 0) _bytes.WriteByte(0);
    }

    private void BeginPage(uint remaining)
    {
        if (Position % Page != 0) return;
        var isLong = Position % Size == 0;
        var header = new byte[isLong ? WalPageHeader.LongSize : WalPageHeader.ShortSize];
        BinaryPrimitives.WriteUInt16LittleEndian(header, 0xD110);
        var flags = (remaining > 0 ? WalPageHeader.FirstIsContinuation : 0) | (isLong ? WalPageHeader.LongHeader : 0) | _nextFlags;
        _nextFlags = 0;
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(2), (ushort)flags);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(8), Position);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(16), remaining);
        if (isLong)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(header.AsSpan(24), System);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(32), Size);
            BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(36), Page);
        }

        _bytes.Write(header);
    }
}
