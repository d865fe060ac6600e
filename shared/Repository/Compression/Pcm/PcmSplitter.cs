using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FunctionsBackup.Repository.Compression.Pcm;

/// <summary>
/// Turns samples into what a prediction missed by, folded so that small misses of either sign are small numbers, and lays their high and low
/// bytes apart: the high bytes of a voice then are nearly all alike, where its samples as they are give an ordinary compressor nothing to find.
/// </summary>
internal static class PcmSplitter
{
    /// <summary>Splits the samples of <paramref name="bytes"/>; both planes have <see cref="PcmLayout.SamplesIn"/> bytes.</summary>
    public static void Split(ReadOnlySpan<byte> bytes, PcmLayout layout, Span<byte> high, Span<byte> low)
    {
        var count = layout.SamplesIn(bytes.Length);
        if (count == 0) return;
        bytes = bytes.Slice(layout.Phase, count * 2);
        var reach = Math.Min(count, layout.Channels * layout.Order);
        for (var i = 0; i < reach; i++) Put(bytes, layout, i, high, low);
        var done = reach;
        if (BitConverter.IsLittleEndian && Vector256.IsHardwareAccelerated) done = SplitVectors(bytes, layout, done, high, low);
        for (var i = done; i < count; i++) Put(bytes, layout, i, high, low);
    }

    /// <summary>The inverse of <see cref="Split"/>: fills the samples of <paramref name="bytes"/>.</summary>
    public static void Join(ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, PcmLayout layout, Span<byte> bytes)
    {
        var count = layout.SamplesIn(bytes.Length);
        if (count == 0) return;
        bytes = bytes.Slice(layout.Phase, count * 2);
        high = high[..count];
        low = low[..count];
        Span<int> last = stackalloc int[2], before = stackalloc int[2];
        last.Clear();
        before.Clear();
        for (var i = 0; i < count; i++)
        {
            var channel = layout.Channels == 1 ? 0 : i & 1;
            var folded = (high[i] << 8) | low[i];
            var miss = (folded >> 1) ^ -(folded & 1);
            var expected = layout.Order switch { 0 => 0, 1 => last[channel], _ => (2 * last[channel]) - before[channel] };
            int sample = (short)(expected + miss);
            before[channel] = last[channel];
            last[channel] = sample;
            BinaryPrimitives.WriteInt16LittleEndian(bytes[(i * 2)..], (short)sample);
        }
    }

    private static void Put(ReadOnlySpan<byte> bytes, PcmLayout layout, int i, Span<byte> high, Span<byte> low)
    {
        var expected = layout.Order switch
        {
            0 => 0,
            1 => Sample(bytes, i - layout.Channels),
            _ => (2 * Sample(bytes, i - layout.Channels)) - Sample(bytes, i - (2 * layout.Channels)),
        };
        int miss = (short)(Sample(bytes, i) - expected);
        var folded = (ushort)((miss << 1) ^ (miss >> 15));
        high[i] = (byte)(folded >> 8);
        low[i] = (byte)folded;
    }

    /// <summary>The sample, or 0 before the first.</summary>
    private static int Sample(ReadOnlySpan<byte> bytes, int i) => i < 0 ? 0 : BinaryPrimitives.ReadInt16LittleEndian(bytes[(i * 2)..]);

    private static int SplitVectors(ReadOnlySpan<byte> bytes, PcmLayout layout, int i, Span<byte> high, Span<byte> low)
    {
        var samples = MemoryMarshal.Cast<byte, short>(bytes);
        ref var first = ref MemoryMarshal.GetReference(samples);
        var mask = Vector256.Create((ushort)0xFF);
        for (; i + 32 <= samples.Length; i += 32)
        {
            var a = Fold(ref first, i, layout);
            var b = Fold(ref first, i + 16, layout);
            Vector256.Narrow(a & mask, b & mask).CopyTo(low[i..]);
            Vector256.Narrow(a >>> 8, b >>> 8).CopyTo(high[i..]);
        }

        return i;
    }

    private static Vector256<ushort> Fold(ref short first, int i, PcmLayout layout)
    {
        var miss = Vector256.LoadUnsafe(ref first, (nuint)i);
        if (layout.Order > 0)
        {
            var last = Vector256.LoadUnsafe(ref first, (nuint)(i - layout.Channels));
            miss -= layout.Order == 1 ? last : last + last - Vector256.LoadUnsafe(ref first, (nuint)(i - (2 * layout.Channels)));
        }

        return ((miss << 1) ^ (miss >> 15)).AsUInt16();
    }
}
