using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Storage.S3;

/// <summary>CRC-32C (Castagnoli), as <c>x-amz-checksum-crc32c</c> carries it.</summary>
internal static class Crc32C
{
    /// <summary>Big-endian, in base 64.</summary>
    public static string Base64(ReadOnlySpan<byte> content)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, Compute(content));
        return Convert.ToBase64String(bytes);
    }

    public static uint Compute(ReadOnlySpan<byte> content)
    {
        var crc = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(content);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word));
        foreach (var b in content[(words.Length * sizeof(ulong))..]) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
