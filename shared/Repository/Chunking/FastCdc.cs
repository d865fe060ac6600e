using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace FunctionsBackup.Repository.Chunking;

/// <summary>
/// Cuts contents where their own bytes say so, so that an insertion moves a few cuts only: FastCDC (Xia et al., USENIX ATC 2016, and the
/// two-bytes-a-step loop of IEEE TPDS 2020) with normalised chunk sizes and a secret gear table. Thread-safe; no state between calls.
/// </summary>
/// <remarks>
/// <para>After each byte <c>h = 2h + gear[byte]</c>, which depends on the last 64 bytes only. A chunk may end after <c>L</c> bytes, from
/// the minimum on, if certain <c>k</c> bits of h are zero: two bits more than log2(average) up to the normal size, two fewer after it.
/// Hashing begins 64 bytes before the minimum, so a cut depends on the bytes just before it, never on where the chunk began.</para>
/// </remarks>
public sealed class FastCdc
{
    /// <summary>Bytes that h depends on.</summary>
    private const int Window = 64;

    private readonly GearTable _table;
    private readonly ChunkerParameters _parameters;
    private readonly int _normal;
    private readonly ulong _strict;
    private readonly ulong _loose;

    public FastCdc(GearTable table, ChunkerParameters parameters)
    {
        _table = table;
        _parameters = parameters.Checked();
        _normal = parameters.Average - parameters.Minimum / 4 * 3;
        if (_normal < parameters.Minimum) _normal = parameters.Minimum;
        var bits = BitOperations.Log2((uint)parameters.Average);
        _strict = Mask(bits + 2);
        _loose = Mask(bits - 2);
    }

    public ChunkerParameters Parameters => _parameters;

    /// <summary>Where the first chunk of <paramref name="data"/> ends.</summary>
    /// <param name="data">The bytes ahead: at least the maximum chunk size, or all that is left.</param>
    /// <returns>The chunk's length: from minimum to maximum, or all of the data if no cut is found in it; 0 only for no data.</returns>
    public int FindBoundary(ReadOnlySpan<byte> data)
    {
        var end = Math.Min(data.Length, _parameters.Maximum);
        if (end <= _parameters.Minimum) return end;
        ref var bytes = ref MemoryMarshal.GetReference(data);
        ref var gear = ref MemoryMarshal.GetReference(_table.Values);
        // The chunk's length is one more than the index of its last byte, hence the ones.
        var hash = 0UL;
        for (var i = _parameters.Minimum - Window; i < _parameters.Minimum - 1; i++)
            hash = (hash << 1) + Unsafe.Add(ref gear, Unsafe.Add(ref bytes, i));
        var normal = Math.Min(_normal, end);
        var length = Scan(ref bytes, ref gear, _parameters.Minimum - 1, normal, _strict, ref hash);
        if (length == 0) length = Scan(ref bytes, ref gear, normal, end, _loose, ref hash);
        return length == 0 ? end : length;
    }

    /// <summary>
    /// Bit 63 stays free: halfway through a pair of bytes the hash is held doubled, and is tested with the mask doubled too.
    /// </summary>
    private static ulong Mask(int bits) => ((1UL << bits) - 1) << (63 - bits);

    /// <summary>The length that ends with the first byte from <paramref name="at"/> on where the mask's bits are zero, or 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static int Scan(ref byte bytes, ref ulong gear, int at, int end, ulong mask, ref ulong state)
    {
        var hash = state;
        var doubled = mask << 1;
        ref var gear2 = ref Unsafe.Add(ref gear, 256);
        ref var current = ref Unsafe.Add(ref bytes, at);
        ref var last = ref Unsafe.Add(ref bytes, end - 4);
        while (!Unsafe.IsAddressGreaterThan(ref current, ref last))
        {
            var first = Unsafe.Add(ref gear2, (nuint)current);
            var both = first + Unsafe.Add(ref gear, (nuint)Unsafe.Add(ref current, 1));
            if ((((hash << 2) + first) & doubled) == 0) return (int)Unsafe.ByteOffset(ref bytes, ref current) + 1;
            hash = (hash << 2) + both;
            if ((hash & mask) == 0) return (int)Unsafe.ByteOffset(ref bytes, ref current) + 2;
            first = Unsafe.Add(ref gear2, (nuint)Unsafe.Add(ref current, 2));
            both = first + Unsafe.Add(ref gear, (nuint)Unsafe.Add(ref current, 3));
            if ((((hash << 2) + first) & doubled) == 0) return (int)Unsafe.ByteOffset(ref bytes, ref current) + 3;
            hash = (hash << 2) + both;
            if ((hash & mask) == 0) return (int)Unsafe.ByteOffset(ref bytes, ref current) + 4;
            current = ref Unsafe.Add(ref current, 4);
        }

        for (var i = (int)Unsafe.ByteOffset(ref bytes, ref current); i < end; i++)
        {
            hash = (hash << 1) + Unsafe.Add(ref gear, (nuint)Unsafe.Add(ref bytes, i));
            if ((hash & mask) == 0) return i + 1;
        }

        state = hash;
        return 0;
    }
}
