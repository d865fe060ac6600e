using System.Numerics;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Components.PostgreSql.Wal.Reading;

/// <summary>
/// CRC-32C (Castagnoli) in the raw form that PostgreSQL's pg_crc32c.h works with: the caller starts with <see cref="Initial"/> and inverts
/// at the end. Uses the processor's instruction (SSE 4.2, ARMv8 CRC) where there is one.
/// </summary>
public static class Crc32C
{
    public const uint Initial = 0xFFFFFFFF;

    private const uint Polynomial = 0x82F63B78;

    public static uint Update(uint crc, ReadOnlySpan<byte> bytes)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) crc = BitOperations.Crc32C(crc, BitConverter.IsLittleEndian ? word : Swap(word));
        foreach (var b in bytes[(words.Length * 8)..]) crc = BitOperations.Crc32C(crc, b);
        return crc;

        static ulong Swap(ulong value) => System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(value);
    }

    /// <summary>
    /// The raw state after the bytes behind <paramref name="first"/> and then <paramref name="length"/> more, whose raw CRC from 0 is
    /// <paramref name="second"/>: checks a record across two segments from what is known of each.
    /// </summary>
    public static uint Combine(uint first, uint second, long length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        // Appending n zero bytes multiplies the state by x^(8n) modulo the polynomial; the rest of the algorithm is linear.
        var power = 1u << 31;
        for (var step = 1u << 23; length > 0; length >>= 1, step = Multiply(step, step))
            if ((length & 1) != 0) power = Multiply(step, power);
        return Multiply(power, first) ^ second;
    }

    /// <summary>Product of two polynomials, bit-reversed as CRC states are, modulo the CRC's own.</summary>
    private static uint Multiply(uint a, uint b)
    {
        var product = 0u;
        for (var bit = 1u << 31; bit != 0; bit >>= 1)
        {
            if ((a & bit) != 0) product ^= b;
            b = (b & 1) != 0 ? (b >> 1) ^ Polynomial : b >> 1;
        }

        return product;
    }
}
