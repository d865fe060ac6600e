using System.Buffers.Binary;
using FunctionsBackup.Components.Layers;
using FunctionsBackup.Components.Redis.Rdb;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>One record in bytes (FORMAT.md): flags, expiry, database, type, key, value.</summary>
internal static class RecordCodec
{
    public const byte HasExpiry = 1, IsLarge = 2, IsTombstone = LayerFormat.Tombstone;

    /// <summary>Of the name of a large value.</summary>
    public const int NameSize = 16;

    /// <summary>What a record without key and value has at most.</summary>
    public const int MaximumOverhead = 1 + 8 + 5 + 1 + 5 + 10;

    /// <summary>Keys are as long as strings of Redis may be.</summary>
    private const int MaximumKey = 512 << 20;

    /// <summary>Writes all but the value, whose length is the last thing.</summary>
    /// <returns>Bytes written.</returns>
    public static int WriteHead(in RdbRecord record, Span<byte> to)
    {
        var at = 0;
        to[at++] = (byte)((record.ExpiresAt >= 0 ? HasExpiry : 0) | (record.IsLarge ? IsLarge : 0));
        if (record.ExpiresAt >= 0)
        {
            BinaryPrimitives.WriteInt64LittleEndian(to[at..], record.ExpiresAt);
            at += 8;
        }

        at += WriteVarint(to[at..], (ulong)record.Database);
        to[at++] = record.Type;
        at += WriteVarint(to[at..], (ulong)record.Key.Length);
        record.Key.Span.CopyTo(to[at..]);
        at += record.Key.Length;
        return at + WriteVarint(to[at..], (ulong)record.ValueLength);
    }

    /// <summary>Reads a record from memory.</summary>
    /// <param name="bytes">It begins here.</param>
    /// <param name="record">Its value is empty if it is large.</param>
    /// <param name="name">Of a large value.</param>
    /// <param name="isTombstone">It only says that the key is no more.</param>
    /// <returns>Its length; 0: more bytes are needed; negative: it is none.</returns>
    public static int Read(ReadOnlyMemory<byte> bytes, out RdbRecord record, out ReadOnlyMemory<byte> name, out bool isTombstone)
    {
        (record, name, isTombstone) = (new RdbRecord { ExpiresAt = -1 }, default, false);
        var span = bytes.Span;
        if (span.IsEmpty) return 0;
        var flags = span[0];
        if (flags == IsTombstone)
        {
            isTombstone = true;
            return 1;
        }

        if (flags > (HasExpiry | IsLarge)) return -1;
        var at = 1;
        if ((flags & HasExpiry) != 0)
        {
            if (span.Length < at + 8) return 0;
            record.ExpiresAt = BinaryPrimitives.ReadInt64LittleEndian(span[at..]);
            if (record.ExpiresAt < 0) return -1;
            at += 8;
        }

        var result = ReadVarint(span, ref at, out var database);
        if (result <= 0 || database > int.MaxValue) return result <= 0 ? result : -1;
        if (span.Length == at) return 0;
        record.Type = span[at++];
        result = ReadVarint(span, ref at, out var keyLength);
        if (result <= 0 || keyLength > MaximumKey) return result <= 0 ? result : -1;
        if (span.Length - at < (int)keyLength) return 0;
        record.Key = bytes.Slice(at, (int)keyLength);
        at += (int)keyLength;
        result = ReadVarint(span, ref at, out var valueLength);
        if (result <= 0 || valueLength > long.MaxValue) return result <= 0 ? result : -1;
        (record.Database, record.ValueLength, record.IsLarge) = ((int)database, (long)valueLength, (flags & IsLarge) != 0);
        if (!record.IsLarge && valueLength > RdbReader.InlineLimit) return -1;
        var stored = record.IsLarge ? NameSize : (int)valueLength;
        if (span.Length - at < stored) return 0;
        if (record.IsLarge) name = bytes.Slice(at, NameSize);
        else record.Value = bytes.Slice(at, stored);
        return at + stored;
    }

    private static int WriteVarint(Span<byte> to, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7) to[at++] = (byte)(value | 0x80);
        to[at++] = (byte)value;
        return at;
    }

    private static int ReadVarint(ReadOnlySpan<byte> from, ref int at, out ulong value)
    {
        value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (at >= from.Length) return 0;
            var next = from[at++];
            value |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80) return 1;
        }

        return -1;
    }
}
