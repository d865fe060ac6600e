using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Compression;

namespace FunctionsBackup.Repository.Packing;

/// <summary>The inside of a block: algorithm, plaintext length, compressed chunks (FORMAT.md §5).</summary>
internal static class BlockCodec
{
    /// <summary>Room that <see cref="Encode"/> needs for a plaintext of this length.</summary>
    public static int Bound(int plainLength) => PackFormat.BlockHeaderSize + Math.Max(BlockCompressor.Bound(plainLength), plainLength);

    /// <summary>Compresses, or copies where that does not help.</summary>
    /// <returns>Bytes written to <paramref name="destination"/>.</returns>
    public static int Encode(ReadOnlySpan<byte> plaintext, BlockCompressor? compressor, CompressionAlgorithm algorithm, Span<byte> destination)
    {
        var body = destination[PackFormat.BlockHeaderSize..];
        var length = compressor?.Compress(plaintext, body) ?? 0;
        if (length == 0)
        {
            algorithm = CompressionAlgorithm.None;
            plaintext.CopyTo(body);
            length = plaintext.Length;
        }

        destination[0] = (byte)algorithm;
        BinaryPrimitives.WriteInt32LittleEndian(destination[1..], plaintext.Length);
        return PackFormat.BlockHeaderSize + length;
    }

    /// <summary>Decrypts and decompresses a block.</summary>
    /// <param name="packName">For messages.</param>
    /// <param name="cipher">Of its pack.</param>
    /// <param name="offset">Where the block begins in the pack.</param>
    /// <param name="stored">Ciphertext and tag; overwritten.</param>
    /// <param name="decompressor">Of this worker.</param>
    /// <param name="plaintext">Exactly as long as the block's plaintext.</param>
    /// <exception cref="DamageException">It is not the block that was written there.</exception>
    public static void Decode(
        string packName, PackCipher cipher, uint offset, Span<byte> stored, BlockDecompressor decompressor, Span<byte> plaintext)
    {
        try
        {
            var body = stored[..^PackFormat.TagSize];
            cipher.Open(PackPart.Block, offset, stored, body);
            if (BinaryPrimitives.ReadInt32LittleEndian(body[1..]) != plaintext.Length)
                throw new InvalidDataException("The block's length is not the one in the index.");
            decompressor.Decompress((CompressionAlgorithm)body[0], body[PackFormat.BlockHeaderSize..], plaintext);
        }
        catch (Exception e) when (e is CryptographicException or InvalidDataException)
        {
            throw new DamageException(
                packName, $"Block at {offset} of {packName} is damaged; run 'fbackup backup verify all --level full' to see what it touches.", e);
        }
    }
}
