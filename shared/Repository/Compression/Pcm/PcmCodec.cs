using System.Buffers;
using System.Buffers.Binary;

namespace FunctionsBackup.Repository.Compression.Pcm;

/// <summary>
/// Compresses blocks in which some chunks are 16-bit sound (FORMAT.md §4.3): predicted samples, split into planes that zstd packs fast and
/// small; what is no sound goes beside them as it is. One per worker: not for concurrent use.
/// </summary>
internal sealed class PcmCodec : IDisposable
{
    private const int SegmentSize = 5;
    private const int StreamCount = 3;

    // In planes there is nothing to search for, only frequencies: the fastest level packs them as small as any.
    private readonly BlockCompressor _planes = new(new CompressionSettings(CompressionAlgorithm.Zstd, 1));
    private readonly byte[] _streams = ArrayPool<byte>.Shared.Rent(Contents.ContentLimits.MaximumChunkSize);

    /// <summary>Finds which segments of a block are sound, and whether the planes would beat plain compression.</summary>
    /// <param name="block">The chunks, one after another.</param>
    /// <param name="lengths">Their lengths.</param>
    /// <param name="layouts">One code per chunk.</param>
    /// <param name="plain">The compressor that would be used otherwise.</param>
    /// <param name="scratch">At least 16 KiB.</param>
    public static bool TryPlan(ReadOnlySpan<byte> block, ReadOnlySpan<int> lengths, Span<byte> layouts, BlockCompressor plain, Span<byte> scratch)
    {
        const int Trial = 16 << 10;
        var found = false;
        for (var i = 0; i < lengths.Length; i++)
        {
            var chunk = block[..lengths[i]];
            block = block[lengths[i]..];
            layouts[i] = PcmLayout.Verbatim;
            if (PcmProbe.Detect(chunk) is not { } sound) continue;
            // Repetitions are zstd's, not ours: digital silence, or no sound at all.
            var sample = chunk.Slice((chunk.Length - Math.Min(Trial, chunk.Length)) / 2, Math.Min(Trial, chunk.Length));
            var packed = plain.Compress(sample, scratch);
            if (packed != 0 && sound.Part > 0.95 * packed / sample.Length) continue;
            layouts[i] = sound.Layout.Code;
            found = true;
        }

        return found;
    }

    /// <summary>Compresses a block as planned.</summary>
    /// <returns>Bytes written, or 0 if that is not smaller than the block.</returns>
    public int Compress(
        ReadOnlySpan<byte> block, ReadOnlySpan<int> lengths, ReadOnlySpan<byte> layouts, BlockCompressor plain, Span<byte> destination)
    {
        if (lengths.Length > ushort.MaxValue) return 0;
        var at = 2 + (lengths.Length * SegmentSize) + (StreamCount * 4);
        if (at >= block.Length) return 0;
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)lengths.Length);
        for (var i = 0; i < lengths.Length; i++)
        {
            destination[2 + (i * SegmentSize)] = layouts[i];
            BinaryPrimitives.WriteInt32LittleEndian(destination[(3 + (i * SegmentSize))..], lengths[i]);
        }

        var (samples, rest) = Measure(lengths, layouts);
        var high = _streams.AsSpan(0, samples);
        var low = _streams.AsSpan(samples, samples);
        var verbatim = _streams.AsSpan(2 * samples, rest);
        Split(block, lengths, layouts, high, low, verbatim);
        var sizes = destination[(2 + (lengths.Length * SegmentSize))..];
        for (var stream = 0; stream < StreamCount; stream++)
        {
            var source = stream switch { 0 => high, 1 => low, _ => verbatim };
            if (destination.Length - at < source.Length) return 0;
            var stored = source.IsEmpty || (stream == 1 && CompressibilityProbe.LooksIncompressible(source))
                ? 0
                : (stream == 2 ? plain : _planes).Compress(source, destination[at..]);
            if (stored == 0)
            {
                source.CopyTo(destination[at..]);
                stored = source.Length;
            }

            BinaryPrimitives.WriteInt32LittleEndian(sizes[(stream * 4)..], stored);
            at += stored;
        }

        return at < block.Length ? at : 0;
    }

    /// <summary>The inverse, from bytes that may be hostile.</summary>
    /// <exception cref="InvalidDataException">They do not hold a block of exactly the destination's length.</exception>
    public static void Decompress(BlockDecompressor decompressor, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (source.Length < 2) throw Malformed();
        var count = BinaryPrimitives.ReadUInt16LittleEndian(source);
        var at = 2 + (count * SegmentSize) + (StreamCount * 4);
        if (source.Length < at) throw Malformed();
        var (samples, rest) = MeasureStored(source.Slice(2, count * SegmentSize), destination.Length);
        var streams = ArrayPool<byte>.Shared.Rent(destination.Length);
        try
        {
            var high = streams.AsSpan(0, samples);
            var low = streams.AsSpan(samples, samples);
            var verbatim = streams.AsSpan(2 * samples, rest);
            var sizes = source[(2 + (count * SegmentSize))..];
            for (var stream = 0; stream < StreamCount; stream++)
            {
                var target = stream switch { 0 => high, 1 => low, _ => verbatim };
                var stored = BinaryPrimitives.ReadInt32LittleEndian(sizes[(stream * 4)..]);
                if (stored < 0 || stored > source.Length - at || stored > target.Length) throw Malformed();
                var algorithm = stored == target.Length ? CompressionAlgorithm.None : CompressionAlgorithm.Zstd;
                decompressor.Decompress(algorithm, source.Slice(at, stored), target);
                at += stored;
            }

            if (at != source.Length) throw Malformed();
            Join(source.Slice(2, count * SegmentSize), high, low, verbatim, destination);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(streams);
        }
    }

    public void Dispose()
    {
        _planes.Dispose();
        ArrayPool<byte>.Shared.Return(_streams);
    }

    private static (int Samples, int Others) Measure(ReadOnlySpan<int> lengths, ReadOnlySpan<byte> layouts)
    {
        int samples = 0, rest = 0;
        for (var i = 0; i < lengths.Length; i++)
        {
            var its = PcmLayout.TryDecode(layouts[i], out var layout) ? layout.SamplesIn(lengths[i]) : 0;
            samples += its;
            rest += lengths[i] - (2 * its);
        }

        return (samples, rest);
    }

    private static (int Samples, int Others) MeasureStored(ReadOnlySpan<byte> segments, int expected)
    {
        int samples = 0;
        var total = 0L;
        for (; segments.Length > 0; segments = segments[SegmentSize..])
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(segments[1..]);
            if (length < 0 || (total += length) > expected) throw Malformed();
            if (segments[0] == PcmLayout.Verbatim) continue;
            if (!PcmLayout.TryDecode(segments[0], out var layout)) throw Malformed();
            samples += layout.SamplesIn(length);
        }

        return total == expected ? (samples, expected - (2 * samples)) : throw Malformed();
    }

    private static void Split(
        ReadOnlySpan<byte> block, ReadOnlySpan<int> lengths, ReadOnlySpan<byte> layouts, Span<byte> high, Span<byte> low, Span<byte> verbatim)
    {
        for (var i = 0; i < lengths.Length; i++)
        {
            var chunk = block[..lengths[i]];
            block = block[lengths[i]..];
            if (!PcmLayout.TryDecode(layouts[i], out var layout))
            {
                chunk.CopyTo(verbatim);
                verbatim = verbatim[chunk.Length..];
                continue;
            }

            var samples = layout.SamplesIn(chunk.Length);
            PcmSplitter.Split(chunk, layout, high, low);
            high = high[samples..];
            low = low[samples..];
            var begin = Math.Min(layout.Phase, chunk.Length);
            var end = chunk[(begin + (2 * samples))..];
            chunk[..begin].CopyTo(verbatim);
            end.CopyTo(verbatim[begin..]);
            verbatim = verbatim[(begin + end.Length)..];
        }
    }

    private static void Join(
        ReadOnlySpan<byte> segments, ReadOnlySpan<byte> high, ReadOnlySpan<byte> low, ReadOnlySpan<byte> verbatim, Span<byte> block)
    {
        for (; segments.Length > 0; segments = segments[SegmentSize..])
        {
            var chunk = block[..BinaryPrimitives.ReadInt32LittleEndian(segments[1..])];
            block = block[chunk.Length..];
            if (segments[0] == PcmLayout.Verbatim)
            {
                verbatim[..chunk.Length].CopyTo(chunk);
                verbatim = verbatim[chunk.Length..];
                continue;
            }

            PcmLayout.TryDecode(segments[0], out var layout);
            var samples = layout.SamplesIn(chunk.Length);
            PcmSplitter.Join(high, low, layout, chunk);
            high = high[samples..];
            low = low[samples..];
            var begin = Math.Min(layout.Phase, chunk.Length);
            var end = chunk[(begin + (2 * samples))..];
            verbatim[..begin].CopyTo(chunk);
            verbatim.Slice(begin, end.Length).CopyTo(end);
            verbatim = verbatim[(begin + end.Length)..];
        }
    }

    private static InvalidDataException Malformed() => new("A block of sound is malformed.");
}
