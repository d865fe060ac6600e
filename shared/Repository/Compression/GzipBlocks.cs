using System.Buffers.Binary;
using System.IO.Compression;

namespace FunctionsBackup.Repository.Compression;

/// <summary>Gzip (RFC 1952) over spans, by the framework's own streams.</summary>
internal static unsafe class GzipBlocks
{
    /// <summary>Header and trailer of RFC 1952 alone.</summary>
    private const int MinimumLength = 18;

    /// <summary>Returns the bytes written, or 0 if they do not fit.</summary>
    public static int Compress(ReadOnlySpan<byte> source, Span<byte> destination, int level)
    {
        fixed (byte* target = destination)
        {
            using var output = new BoundedStream(target, destination.Length);
            using (var gzip = new GZipStream(output, new ZLibCompressionOptions { CompressionLevel = level }, leaveOpen: true))
                gzip.Write(source);
            return output.Written;
        }
    }

    /// <exception cref="InvalidDataException">The source is malformed or of another length.</exception>
    public static void Decompress(ReadOnlySpan<byte> source, Span<byte> destination)
    {
        // The framework forgives a cut trailer; its last field is the length (RFC 1952, ISIZE).
        if (source.Length < MinimumLength) throw new InvalidDataException("A gzip block is cut short.");
        var size = BinaryPrimitives.ReadUInt32LittleEndian(source[^4..]);
        if (size != destination.Length) throw BlockDecompressor.WrongLength(CompressionAlgorithm.Gzip, size, destination.Length);
        fixed (byte* pointer = source)
        {
            using var input = new UnmanagedMemoryStream(pointer, source.Length);
            using var gzip = new GZipStream(input, CompressionMode.Decompress);
            var length = gzip.ReadAtLeast(destination, destination.Length, throwOnEndOfStream: false);
            if (length != destination.Length) throw BlockDecompressor.WrongLength(CompressionAlgorithm.Gzip, length, destination.Length);
            // One byte more is asked for, so that the trailer's checksum is read and checked.
            Span<byte> beyond = stackalloc byte[1];
            if (gzip.Read(beyond) != 0)
                throw BlockDecompressor.WrongLength(CompressionAlgorithm.Gzip, length + 1L, destination.Length);
        }
    }

    /// <summary>Takes what fits, and remembers whether all did.</summary>
    private sealed class BoundedStream(byte* target, int capacity) : Stream
    {
        private long _length;

        /// <summary>Bytes written, or 0 when more came than fits.</summary>
        public int Written => _length <= capacity ? (int)_length : 0;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            if (_length + buffer.Length <= capacity) buffer.CopyTo(new Span<byte>(target + _length, buffer.Length));
            _length += buffer.Length;
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
