using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Compression.Pcm;

namespace FunctionsBackup.Repository.Packing;

/// <summary>The inside of a block: algorithm, plaintext length, compressed chunks (FORMAT.md §5). <see cref="BlockEncoder"/> writes it.</summary>
internal static class BlockCodec
{
    /// <summary>The algorithm number of <see cref="PcmCodec"/>, beside those of <see cref="CompressionAlgorithm"/>.</summary>
    public const byte PcmAlgorithm = 4;

    /// <summary>Room that <see cref="BlockEncoder"/> needs for a plaintext of this length.</summary>
    public static int Bound(int plainLength) => PackFormat.BlockHeaderSize + Math.Max(BlockCompressor.Bound(plainLength), plainLength);

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
            if (body[0] == PcmAlgorithm) PcmCodec.Decompress(decompressor, body[PackFormat.BlockHeaderSize..], plaintext);
            else decompressor.Decompress((CompressionAlgorithm)body[0], body[PackFormat.BlockHeaderSize..], plaintext);
        }
        catch (Exception e) when (e is CryptographicException or InvalidDataException)
        {
            throw new DamageException(
                packName, $"Block at {offset} of {packName} is damaged; run 'fbackup backup verify all --level full' to see what it touches.", e);
        }
    }
}
