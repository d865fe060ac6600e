namespace FunctionsBackup.Repository.Compression.Pcm;

/// <summary>Guesses from a few thousand samples whether bytes are 16-bit sound, and how it lies. A wrong guess costs space, never data.</summary>
internal static class PcmProbe
{
    /// <summary>Shorter runs are not worth a look: it costs as much for these as for a chunk of the largest size. Pages are shorter.</summary>
    public const int MinimumLength = 40 << 10;

    /// <summary>Bytes of which that part would do are no sound, but silence or something regular, such as rows of numbers.</summary>
    private const double Silence = 0.4;

    private const int Windows = 3;
    private const int WindowSamples = 1024;
    private const int TotalSamples = Windows * WindowSamples;

    private static readonly float[] Weights = [.. Enumerable.Range(0, (TotalSamples * 2) + 1).Select(n => n < 2 ? 0f : (float)(n * Math.Log2(n)))];

    /// <returns>
    /// The layout, and the part of its size that the samples would take by the frequencies of their bytes alone; or null if no layout makes
    /// the bytes notably rarer than they are.
    /// </returns>
    public static (PcmLayout Layout, double Part)? Detect(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < MinimumLength) return null;
        Span<int> counts = stackalloc int[512];
        var plain = PlainPart(bytes, counts);
        if (plain < Silence) return null;
        Span<byte> high = stackalloc byte[WindowSamples], low = stackalloc byte[WindowSamples];
        var best = (Layout: default(PcmLayout), Part: double.MaxValue);
        for (var phase = 0; phase < 2; phase++)
            for (var channels = 1; channels <= 2; channels++)
                Try(bytes, new PcmLayout(phase, channels, 1), high, low, counts, ref best);
        foreach (var order in (ReadOnlySpan<int>)[0, 2])
            Try(bytes, best.Layout with { Order = order }, high, low, counts, ref best);
        return best.Part < 0.97 && best.Part < 0.95 * plain ? best : null;
    }

    private static void Try(
        ReadOnlySpan<byte> bytes, PcmLayout layout, Span<byte> high, Span<byte> low, Span<int> counts, ref (PcmLayout Layout, double Part) best)
    {
        counts.Clear();
        for (var window = 0; window < Windows; window++)
        {
            PcmSplitter.Split(Window(bytes, window), layout, high, low);
            // The first samples of a window have nothing to be predicted from.
            for (var i = 4; i < WindowSamples - 1; i++)
            {
                counts[high[i]]++;
                counts[256 + low[i]]++;
            }
        }

        var part = (Bits(counts[..256]) + Bits(counts[256..])) / 16;
        if (part < best.Part) best = (layout, part);
    }

    /// <summary>The same for the bytes as they are: the frequencies of all.</summary>
    private static double PlainPart(ReadOnlySpan<byte> bytes, Span<int> counts)
    {
        counts.Clear();
        for (var window = 0; window < Windows; window++)
            foreach (var b in Window(bytes, window)) counts[b]++;
        return Bits(counts[..256]) / 8;
    }

    private static ReadOnlySpan<byte> Window(ReadOnlySpan<byte> bytes, int window)
    {
        const int Length = WindowSamples * 2;
        var at = (long)(bytes.Length - Length) * window / (Windows - 1);
        return bytes.Slice((int)at & ~3, Length);
    }

    /// <summary>Entropy of the counted bytes, bits per byte.</summary>
    private static double Bits(ReadOnlySpan<int> counts)
    {
        var total = 0;
        var sum = 0.0;
        foreach (var count in counts)
        {
            total += count;
            sum += Weights[count];
        }

        return total == 0 ? 0 : Math.Log2(total) - (sum / total);
    }
}
