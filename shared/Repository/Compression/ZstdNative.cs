using System.Runtime.InteropServices;
using FunctionsBackup.Repository.Native;

namespace FunctionsBackup.Repository.Compression;

/// <summary>The few functions of libzstd 1.4 and later that are used (zstd.h, "Advanced compression API").</summary>
internal static partial class ZstdNative
{
    private const string Library = NativeLibraries.Zstd;

    /// <summary>ZSTD_c_compressionLevel of ZSTD_cParameter.</summary>
    public const int CompressionLevel = 100;

    /// <summary>ZSTD_c_hashLog: entries of the hash table, as a power of two.</summary>
    public const int HashLog = 102;

    /// <summary>ZSTD_c_chainLog: entries of the second table, as a power of two.</summary>
    public const int ChainLog = 103;

    /// <summary>ZSTD_error_dstSize_tooSmall of zstd_errors.h: stable since 1.0 by that header's own promise.</summary>
    private const int DestinationTooSmall = 70;

    static ZstdNative() => NativeLibraries.Prepare();

    [LibraryImport(Library, EntryPoint = "ZSTD_createCCtx")]
    public static partial ZstdCompressionContext CreateCompressionContext();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeCCtx")]
    public static partial nuint FreeCompressionContext(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_CCtx_setParameter")]
    public static partial nuint SetParameter(ZstdCompressionContext context, int parameter, int value);

    [LibraryImport(Library, EntryPoint = "ZSTD_compress2")]
    public static partial nuint Compress(
        ZstdCompressionContext context, Span<byte> destination, nuint destinationSize, ReadOnlySpan<byte> source, nuint sourceSize);

    [LibraryImport(Library, EntryPoint = "ZSTD_createDCtx")]
    public static partial ZstdDecompressionContext CreateDecompressionContext();

    [LibraryImport(Library, EntryPoint = "ZSTD_freeDCtx")]
    public static partial nuint FreeDecompressionContext(nint context);

    [LibraryImport(Library, EntryPoint = "ZSTD_decompressDCtx")]
    public static partial nuint Decompress(
        ZstdDecompressionContext context, Span<byte> destination, nuint destinationSize, ReadOnlySpan<byte> source, nuint sourceSize);

    /// <summary>ZSTD_CONTENTSIZE_UNKNOWN is 2^64-1, ZSTD_CONTENTSIZE_ERROR 2^64-2.</summary>
    [LibraryImport(Library, EntryPoint = "ZSTD_getFrameContentSize")]
    public static partial ulong FrameContentSize(ReadOnlySpan<byte> source, nuint sourceSize);

    [LibraryImport(Library, EntryPoint = "ZSTD_isError")]
    private static partial uint IsErrorCode(nuint code);

    [LibraryImport(Library, EntryPoint = "ZSTD_getErrorName")]
    private static partial nint ErrorNamePointer(nuint code);

    public static bool IsError(nuint code) => IsErrorCode(code) != 0;

    /// <summary>An error is returned as its negated code.</summary>
    public static bool IsDestinationTooSmall(nuint code) => (nint)code == -DestinationTooSmall;

    public static string ErrorName(nuint code) => Marshal.PtrToStringUTF8(ErrorNamePointer(code)) ?? "unknown";
}

internal sealed class ZstdCompressionContext() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => ZstdNative.FreeCompressionContext(handle) == 0;
}

internal sealed class ZstdDecompressionContext() : SafeHandle(0, ownsHandle: true)
{
    public override bool IsInvalid => handle == 0;

    protected override bool ReleaseHandle() => ZstdNative.FreeDecompressionContext(handle) == 0;
}
