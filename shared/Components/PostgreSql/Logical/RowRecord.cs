using System.Buffers.Binary;
using FunctionsBackup.Components.Layers;

namespace FunctionsBackup.Components.PostgreSql.Logical;

/// <summary>A row in a layer (FORMAT.md): a zero byte, the length (4 bytes, little-endian), and what COPY has.</summary>
internal static class RowRecord
{
    public const int MaximumOverhead = 5;

    public static int Write(ReadOnlySpan<byte> row, Span<byte> to)
    {
        to[0] = 0;
        BinaryPrimitives.WriteInt32LittleEndian(to[1..], row.Length);
        row.CopyTo(to[5..]);
        return 5 + row.Length;
    }

    /// <returns>Its length; 0: more bytes are needed; negative: it is none.</returns>
    public static int Read(ReadOnlyMemory<byte> bytes, out ReadOnlyMemory<byte> row)
    {
        row = default;
        if (bytes.IsEmpty) return 0;
        if (bytes.Span[0] == LayerFormat.Tombstone) return 1;
        if (bytes.Span[0] != 0) return -1;
        if (bytes.Length < 5) return 0;
        var length = BinaryPrimitives.ReadInt32LittleEndian(bytes.Span[1..]);
        if (length is < 0 or > (1 << 30)) return -1;
        if (bytes.Length < 5 + length) return 0;
        row = bytes.Slice(5, length);
        return 5 + length;
    }
}
