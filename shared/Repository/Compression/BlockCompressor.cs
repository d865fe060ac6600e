namespace FunctionsBackup.Repository.Compression;

/// <summary>Compresses blocks one by one, reusing its working memory. One per worker: not for concurrent use.</summary>
/// <exception cref="Native.MissingLibraryException">The algorithm's library is not installed.</exception>
public sealed class BlockCompressor : IDisposable
{
    private readonly CompressionSettings _settings;
    private readonly ZstdCompressionContext? _zstd;

    public BlockCompressor(CompressionSettings settings)
    {
        _settings = settings.Checked();
        if (settings.Algorithm != CompressionAlgorithm.Zstd) return;
        _zstd = ZstdNative.CreateCompressionContext();
        if (_zstd.IsInvalid) throw new InsufficientMemoryException("zstd could not allocate a compression context.");
        var code = ZstdNative.SetParameter(_zstd, ZstdNative.CompressionLevel, settings.Level);
        if (settings.Level == 3)
        {
            // Blocks are 1 MiB and several workers share caches: half the tables are 15 % faster for 1 % more to store.
            ZstdNative.SetParameter(_zstd, ZstdNative.HashLog, 16);
            ZstdNative.SetParameter(_zstd, ZstdNative.ChainLog, 15);
        }

        if (!ZstdNative.IsError(code)) return;
        _zstd.Dispose();
        throw new InvalidOperationException($"zstd refuses level {settings.Level}: {ZstdNative.ErrorName(code)}.");
    }

    public CompressionAlgorithm Algorithm => _settings.Algorithm;

    /// <summary>A destination of this size serves every algorithm best; at least <paramref name="length"/>.</summary>
    public static int Bound(int length) => checked(length + (length >> 7) + 128);

    /// <summary>Compresses a block.</summary>
    /// <param name="source">The block; may be empty.</param>
    /// <param name="destination">At least as long as the source; overwritten, also where 0 is returned.</param>
    /// <returns>Bytes written, less than the source's length; or 0: it would not be smaller, so store it raw.</returns>
    public int Compress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (destination.Length < source.Length)
            throw new ArgumentException($"Compressing {source.Length} bytes needs as many in the destination.", nameof(destination));
        if (source.IsEmpty) return 0;
        var length = _settings.Algorithm switch
        {
            CompressionAlgorithm.Zstd => CompressZstd(source, destination),
            CompressionAlgorithm.Lz4 => _settings.Level < 3
                ? Lz4Native.Compress(source, destination, source.Length, destination.Length)
                : Lz4Native.CompressHigh(source, destination, source.Length, destination.Length, _settings.Level),
            CompressionAlgorithm.Gzip => GzipBlocks.Compress(source, destination, _settings.Level),
            _ => 0,
        };
        return length < source.Length ? length : 0;
    }

    public void Dispose() => _zstd?.Dispose();

    private int CompressZstd(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        var code = ZstdNative.Compress(_zstd!, destination, (nuint)destination.Length, source, (nuint)source.Length);
        if (!ZstdNative.IsError(code)) return (int)code;
        if (ZstdNative.IsDestinationTooSmall(code)) return 0;
        throw new InvalidOperationException($"zstd could not compress a block: {ZstdNative.ErrorName(code)}.");
    }
}
