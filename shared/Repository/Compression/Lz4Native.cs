using System.Runtime.InteropServices;
using FunctionsBackup.Repository.Native;

namespace FunctionsBackup.Repository.Compression;

/// <summary>The block functions of liblz4 (lz4.h, lz4hc.h): no frame, so the lengths are kept by the caller.</summary>
internal static partial class Lz4Native
{
    private const string Library = NativeLibraries.Lz4;

    static Lz4Native() => NativeLibraries.Prepare();

    /// <summary>Returns the bytes written, or 0 if they do not fit.</summary>
    [LibraryImport(Library, EntryPoint = "LZ4_compress_default")]
    public static partial int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int sourceSize, int destinationSize);

    /// <summary>As <see cref="Compress"/>, level 3 to 12: slower and smaller, the same format.</summary>
    [LibraryImport(Library, EntryPoint = "LZ4_compress_HC")]
    public static partial int CompressHigh(
        ReadOnlySpan<byte> source, Span<byte> destination, int sourceSize, int destinationSize, int level);

    /// <summary>Returns the bytes written, or a negative number if the source is malformed or does not fit; never writes outside.</summary>
    [LibraryImport(Library, EntryPoint = "LZ4_decompress_safe")]
    public static partial int Decompress(ReadOnlySpan<byte> source, Span<byte> destination, int sourceSize, int destinationSize);
}
