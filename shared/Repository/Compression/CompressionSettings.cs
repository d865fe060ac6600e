namespace FunctionsBackup.Repository.Compression;

/// <summary>How a block's bytes are packed; the number is written into the repository (FORMAT.md §4).</summary>
public enum CompressionAlgorithm : byte
{
    None = 0,
    Zstd = 1,
    Lz4 = 2,
    Gzip = 3,
}

/// <summary>What new blocks are compressed with. Reading needs no settings: each block says what it is.</summary>
/// <param name="Algorithm">The algorithm.</param>
/// <param name="Level">zstd 1–22, lz4 1–12 (from 3 on the slower high-compression mode), gzip 1–9; ignored for none.</param>
public sealed record CompressionSettings(CompressionAlgorithm Algorithm, int Level)
{
    public static CompressionSettings Default { get; } = Of(CompressionAlgorithm.Zstd);

    public static CompressionSettings None { get; } = Of(CompressionAlgorithm.None);

    /// <summary>The algorithm at its usual level.</summary>
    public static CompressionSettings Of(CompressionAlgorithm algorithm) => new(algorithm, algorithm switch
    {
        CompressionAlgorithm.Zstd => 3,
        CompressionAlgorithm.Lz4 => 1,
        CompressionAlgorithm.Gzip => 6,
        _ => 0,
    });

    /// <summary>The highest level of an algorithm; the lowest is 1.</summary>
    public static int MaximumLevel(CompressionAlgorithm algorithm) => algorithm switch
    {
        CompressionAlgorithm.Zstd => 22,
        CompressionAlgorithm.Lz4 => 12,
        CompressionAlgorithm.Gzip => 9,
        _ => 0,
    };

    /// <summary>Returns these settings if the algorithm is known and the level is one of its own.</summary>
    /// <exception cref="ArgumentOutOfRangeException">They are not.</exception>
    public CompressionSettings Checked()
    {
        if (!Enum.IsDefined(Algorithm))
            throw new ArgumentOutOfRangeException(nameof(Algorithm), $"Compression algorithm {(byte)Algorithm} is not known.");
        if (Algorithm != CompressionAlgorithm.None && (Level < 1 || Level > MaximumLevel(Algorithm)))
        {
            throw new ArgumentOutOfRangeException(
                nameof(Level), $"Level {Level} is not one of {Algorithm}: use 1 to {MaximumLevel(Algorithm)}.");
        }

        return this;
    }
}
