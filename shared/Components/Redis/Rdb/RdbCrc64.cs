using System.Buffers.Binary;

namespace FunctionsBackup.Components.Redis.Rdb;

/// <summary>CRC-64 as Redis has it (Jones polynomial 0xad93d23594c935a9, reflected, begins at 0), eight bytes at a time.</summary>
public static class RdbCrc64
{
    private const ulong Reflected = 0x95AC9329AC4BC9B5;

    private static readonly ulong[] Tables = Build();

    public static ulong Append(ulong crc, ReadOnlySpan<byte> bytes)
    {
        var tables = Tables.AsSpan();
        while (bytes.Length >= 8)
        {
            crc ^= BinaryPrimitives.ReadUInt64LittleEndian(bytes);
            crc = tables[(7 * 256) + (byte)crc] ^ tables[(6 * 256) + (byte)(crc >> 8)]
                ^ tables[(5 * 256) + (byte)(crc >> 16)] ^ tables[(4 * 256) + (byte)(crc >> 24)]
                ^ tables[(3 * 256) + (byte)(crc >> 32)] ^ tables[(2 * 256) + (byte)(crc >> 40)]
                ^ tables[256 + (byte)(crc >> 48)] ^ tables[(byte)(crc >> 56)];
            bytes = bytes[8..];
        }

        foreach (var next in bytes) crc = tables[(byte)(crc ^ next)] ^ (crc >> 8);
        return crc;
    }

    private static ulong[] Build()
    {
        var tables = new ulong[8 * 256];
        for (var i = 0; i < 256; i++)
        {
            var crc = (ulong)i;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? (crc >> 1) ^ Reflected : crc >> 1;
            tables[i] = crc;
        }

        for (var i = 256; i < tables.Length; i++) tables[i] = tables[(byte)tables[i - 256]] ^ (tables[i - 256] >> 8);
        return tables;
    }
}
