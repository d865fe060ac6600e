using System.Buffers;

namespace FunctionsBackup.Repository.Catalogs;

/// <summary>Writes numbers as LEB128 (signed ones zigzag) and byte strings with their length in front.</summary>
internal ref struct VarintWriter(IBufferWriter<byte> output)
{
    private Span<byte> _span = output.GetSpan(256);
    private int _used;

    public void Byte(byte value) => Reserve(1)[0] = value;

    public void Unsigned(ulong value)
    {
        Span<byte> bytes = stackalloc byte[10];
        var length = 0;
        while (value >= 0x80)
        {
            bytes[length++] = (byte)(value | 0x80);
            value >>= 7;
        }

        bytes[length++] = (byte)value;
        bytes[..length].CopyTo(Reserve(length));
    }

    public void Signed(long value) => Unsigned((ulong)((value << 1) ^ (value >> 63)));

    public void Bytes(ReadOnlySpan<byte> value)
    {
        Unsigned((ulong)value.Length);
        value.CopyTo(Reserve(value.Length));
    }

    public Span<byte> Reserve(int length)
    {
        if (_span.Length - _used < length)
        {
            Flush();
            _span = output.GetSpan(Math.Max(length, 256));
        }

        _used += length;
        return _span.Slice(_used - length, length);
    }

    /// <summary>Must be called at the end.</summary>
    public void Flush()
    {
        output.Advance(_used);
        _span = [];
        _used = 0;
    }
}

/// <summary>Reads what <see cref="VarintWriter"/> wrote, from bytes that may be hostile.</summary>
internal ref struct VarintReader(ReadOnlySpan<byte> input)
{
    private ReadOnlySpan<byte> _rest = input;

    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public ulong Unsigned()
    {
        var value = 0UL;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Byte();
            if (shift == 63 && b > 1) break;
            value |= (ulong)(b & 0x7F) << shift;
            if (b < 0x80) return value;
        }

        throw new InvalidDataException("A number is too long.");
    }

    public long Signed()
    {
        var value = Unsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    public uint UInt32() => Unsigned() is var value && value <= uint.MaxValue ? (uint)value : throw new InvalidDataException("A number is too large.");

    /// <summary>A number from 0 to <paramref name="maximum"/>.</summary>
    public int Count(int maximum) =>
        Unsigned() is var value && value <= (ulong)maximum ? (int)value : throw new InvalidDataException("A count is too large.");

    public ReadOnlySpan<byte> Bytes(int maximum) => Take(Count(maximum));

    public ReadOnlySpan<byte> Take(int length)
    {
        if (length > _rest.Length) throw new InvalidDataException("The bytes end too early.");
        var taken = _rest[..length];
        _rest = _rest[length..];
        return taken;
    }
}
