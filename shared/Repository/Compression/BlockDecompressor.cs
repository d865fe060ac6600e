namespace FunctionsBackup.Repository.Compression;

/// <summary>Decompresses blocks of every algorithm, reusing its working memory. One per worker: not for concurrent use.</summary>
public sealed class BlockDecompressor : IDisposable
{
    private ZstdDecompressionContext? _zstd;

    /// <summary>Restores a block. The source may be hostile: nothing outside the destination is ever written.</summary>
    /// <param name="algorithm">What the block was compressed with; none copies.</param>
    /// <param name="source">The compressed bytes, all of them.</param>
    /// <param name="destination">Exactly as long as the block was.</param>
    /// <exception cref="InvalidDataException">The source does not hold a block of exactly the destination's length.</exception>
    /// <exception cref="Native.MissingLibraryException">The algorithm's library is not installed.</exception>
    public void Decompress(CompressionAlgorithm algorithm, ReadOnlySpan<byte> source, Span<byte> destination)
    {
        switch (algorithm)
        {
            case CompressionAlgorithm.None:
                if (source.Length != destination.Length) throw WrongLength(algorithm, source.Length, destination.Length);
                source.CopyTo(destination);
                break;
            case CompressionAlgorithm.Zstd:
                DecompressZstd(source, destination);
                break;
            case CompressionAlgorithm.Lz4:
                var written = Lz4Native.Decompress(source, destination, source.Length, destination.Length);
                if (written < 0) throw new InvalidDataException($"An lz4 block is malformed near byte {-(long)written - 1}.");
                if (written != destination.Length) throw WrongLength(algorithm, written, destination.Length);
                break;
            case CompressionAlgorithm.Gzip:
                GzipBlocks.Decompress(source, destination);
                break;
            default:
                throw new InvalidDataException($"Compression algorithm {(byte)algorithm} is not known.");
        }
    }

    public void Dispose() => _zstd?.Dispose();

    internal static InvalidDataException WrongLength(CompressionAlgorithm algorithm, long actual, long expected) =>
        new($"A block ({algorithm}) holds {actual} bytes where {expected} were expected.");

    private void DecompressZstd(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        if (_zstd is null)
        {
            _zstd = ZstdNative.CreateDecompressionContext();
            if (_zstd.IsInvalid) throw new InsufficientMemoryException("zstd could not allocate a decompression context.");
        }

        var code = ZstdNative.Decompress(_zstd, destination, (nuint)destination.Length, source, (nuint)source.Length);
        if (ZstdNative.IsError(code)) throw new InvalidDataException($"A zstd block is malformed: {ZstdNative.ErrorName(code)}.");
        if (code != (nuint)destination.Length) throw WrongLength(CompressionAlgorithm.Zstd, (long)code, destination.Length);
    }
}
