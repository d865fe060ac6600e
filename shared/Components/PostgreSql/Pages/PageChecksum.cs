using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>
/// The checksum of a PostgreSQL data page: 32 interleaved FNV-1a-like sums over 32-bit words, folded by xor, mixed with the block number
/// (PostgreSQL's storage/checksum_impl.h describes the algorithm). The checksum field itself counts as zero.
/// </summary>
public static class PageChecksum
{
    private const int Lanes = 32;
    private const int RowBytes = Lanes * sizeof(uint);
    private const uint Prime = 16777619;

    /// <summary>Where the page keeps its checksum: little-endian, bytes 8 and 9.</summary>
    private const int FieldOffset = 8;

    // The initial sums are part of the format.
    private static readonly uint[] Offsets =
    [
        0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
        0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
        0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
        0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
    ];

    /// <summary>The checksum that a page stores.</summary>
    public static ushort Stored(ReadOnlySpan<byte> page) => BinaryPrimitives.ReadUInt16LittleEndian(page[FieldOffset..]);

    /// <summary>The checksum that <paramref name="page"/> should store if it is block <paramref name="block"/> of its relation.</summary>
    /// <param name="page">A whole page; its length is a multiple of 128 bytes.</param>
    /// <param name="block">Number within the relation, counted through its 1 GB segments.</param>
    public static ushort Compute(ReadOnlySpan<byte> page, uint block)
    {
        if (page.Length == 0 || page.Length % RowBytes != 0)
            throw new ArgumentException("A page is a positive multiple of 128 bytes.", nameof(page));
        var sum = Vector512.IsHardwareAccelerated ? Fold512(page) : Fold256(page);
        return (ushort)(((sum ^ block) % 65535) + 1);
    }

    private static uint Fold512(ReadOnlySpan<byte> page)
    {
        ref var word = ref Unsafe.As<byte, uint>(ref MemoryMarshal.GetReference(page));
        var a = Vector512.LoadUnsafe(ref Offsets[0]);
        var b = Vector512.LoadUnsafe(ref Offsets[16]);
        a = Mix(a, Vector512.LoadUnsafe(ref word) & Vector512.Create(FirstRowMask256, Vector256<uint>.AllBitsSet));
        b = Mix(b, Vector512.LoadUnsafe(ref word, 16));
        var words = (nuint)(page.Length / sizeof(uint));
        for (nuint at = Lanes; at < words; at += Lanes)
        {
            a = Mix(a, Vector512.LoadUnsafe(ref word, at));
            b = Mix(b, Vector512.LoadUnsafe(ref word, at + 16));
        }

        for (var round = 0; round < 2; round++)
        {
            a = Mix(a, default);
            b = Mix(b, default);
        }

        var folded = a ^ b;
        return Fold(folded.GetLower() ^ folded.GetUpper());

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector512<uint> Mix(Vector512<uint> sum, Vector512<uint> value)
        {
            var mixed = sum ^ value;
            return (mixed * Prime) ^ (mixed >>> 17);
        }
    }

    private static uint Fold256(ReadOnlySpan<byte> page)
    {
        ref var word = ref Unsafe.As<byte, uint>(ref MemoryMarshal.GetReference(page));
        var a = Vector256.LoadUnsafe(ref Offsets[0]);
        var b = Vector256.LoadUnsafe(ref Offsets[8]);
        var c = Vector256.LoadUnsafe(ref Offsets[16]);
        var d = Vector256.LoadUnsafe(ref Offsets[24]);
        var mask = FirstRowMask256;
        var words = (nuint)(page.Length / sizeof(uint));
        for (nuint at = 0; at < words; at += Lanes)
        {
            a = Mix(a, Vector256.LoadUnsafe(ref word, at) & mask);
            b = Mix(b, Vector256.LoadUnsafe(ref word, at + 8));
            c = Mix(c, Vector256.LoadUnsafe(ref word, at + 16));
            d = Mix(d, Vector256.LoadUnsafe(ref word, at + 24));
            mask = Vector256<uint>.AllBitsSet;
        }

        for (var round = 0; round < 2; round++)
        {
            a = Mix(a, default);
            b = Mix(b, default);
            c = Mix(c, default);
            d = Mix(d, default);
        }

        return Fold(a ^ b ^ c ^ d);

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        static Vector256<uint> Mix(Vector256<uint> sum, Vector256<uint> value)
        {
            var mixed = sum ^ value;
            return (mixed * Prime) ^ (mixed >>> 17);
        }
    }

    /// <summary>All bits but the checksum field, which is the low half of the third word (all platforms here are little-endian).</summary>
    private static Vector256<uint> FirstRowMask256 => Vector256<uint>.AllBitsSet.WithElement(FieldOffset / sizeof(uint), 0xFFFF0000u);

    private static uint Fold(Vector256<uint> sums)
    {
        var half = sums.GetLower() ^ sums.GetUpper();
        return half[0] ^ half[1] ^ half[2] ^ half[3];
    }
}
