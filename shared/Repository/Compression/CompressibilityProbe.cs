using System.Runtime.CompilerServices;

namespace FunctionsBackup.Repository.Compression;

/// <summary>
/// Guesses cheaply whether compressing a chunk is a waste of time: audio and pictures that are compressed already, and ciphertext.
/// A wrong guess costs space or time, never data.
/// </summary>
/// <remarks>
/// Two steps. First a byte histogram of up to 64 slices of 256 bytes, spread evenly: whatever is not close to uniform can be compressed
/// by its bytes' frequencies alone, and that settles text, pages and samples in about a microsecond. Only what looks uniform is then
/// tried with lz4 on 16 KiB, which finds repetitions.
/// </remarks>
public static class CompressibilityProbe
{
    /// <summary>Below this, trying costs next to nothing, and samples say little.</summary>
    public const int MinimumLength = 1024;

    private const int SliceLength = 256;
    private const int MaximumSlices = 64;
    private const int TrialLength = 16 << 10;

    /// <summary>
    /// How far the histogram may be from uniform, as 256 Σp² - 1. Entropy coding gains about (that)/2/ln 2/8 of the size: at 0.2 1.8 %,
    /// which is where zstd itself starts to store literals raw.
    /// </summary>
    private const double Uniform = 0.2;

    /// <returns>True if storing the chunk raw loses next to nothing.</returns>
    public static bool LooksIncompressible(ReadOnlySpan<byte> chunk) =>
        chunk.Length >= MinimumLength && HasUniformHistogram(chunk) && !HasRepetitions(chunk);

    private static bool HasUniformHistogram(ReadOnlySpan<byte> chunk)
    {
        // A sixteenth of the chunk, so that small chunks are not slowed down more than large ones.
        var slices = Math.Clamp(chunk.Length / 16 / SliceLength, 4, MaximumSlices);
        var stride = (chunk.Length - SliceLength) / (double)(slices - 1);
        // Two tables: equal neighbours would otherwise wait for one another's store.
        Span<int> even = stackalloc int[256];
        Span<int> odd = stackalloc int[256];
        even.Clear();
        odd.Clear();
        for (var slice = 0; slice < slices; slice++)
        {
            var bytes = chunk.Slice((int)(slice * stride), SliceLength);
            for (var i = 0; i < bytes.Length; i += 2)
            {
                even[bytes[i]]++;
                odd[bytes[i + 1]]++;
            }
        }

        double count = slices * SliceLength;
        long squares = 0;
        for (var i = 0; i < 256; i++)
        {
            long both = even[i] + odd[i];
            squares += both * both;
        }

        // The unbiased estimate of Σp², whatever the number of samples.
        var concentration = (squares - count) / (count * (count - 1));
        return concentration * 256 - 1 < Uniform;
    }

    [SkipLocalsInit]
    private static bool HasRepetitions(ReadOnlySpan<byte> chunk)
    {
        var length = Math.Min(TrialLength, chunk.Length);
        var sample = chunk.Slice((chunk.Length - length) / 2, length);
        // Room for all but a thirty-second: lz4 returns 0 when it does not fit.
        Span<byte> target = stackalloc byte[TrialLength];
        return Lz4Native.Compress(sample, target, length, length - length / 32) != 0;
    }
}
