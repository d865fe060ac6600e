namespace FunctionsBackup.Repository.Crypto;

/// <summary>Cost of a passphrase guess (RFC 7914 §2): memory is 128·N·r bytes, time grows with N·r·p.</summary>
public readonly record struct ScryptParameters(int N, int R, int P)
{
    /// <summary>64 MiB and some 200 ms.</summary>
    public static ScryptParameters Default => new(1 << 16, 8, 1);

    /// <summary>More is refused: parameters come from the repository and may be hostile.</summary>
    public const long MaximumMemory = 1L << 30;

    /// <summary>128·N·r·p bytes: at least the memory, and the measure of the work; <see cref="long.MaxValue"/> on overflow.</summary>
    public long Work
    {
        get
        {
            var work = (Int128)128 * N * R * P;
            return work > long.MaxValue ? long.MaxValue : (long)work;
        }
    }

    /// <summary>Whether N is a power of two above one, r and p are positive, and 128·N·r·p is at most 1 GiB.</summary>
    public bool IsValid => N > 1 && (N & (N - 1)) == 0 && R > 0 && P > 0 && Work <= MaximumMemory;
}
