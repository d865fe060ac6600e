using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Packing;

/// <summary>
/// Encrypts and decrypts the parts of one pack. Each pack has its own key, derived from its epoch's data key and its random salt, so the
/// place of a part in the pack is a nonce that never repeats (FORMAT.md §5). Safe for concurrent use.
/// </summary>
internal sealed class PackCipher : IDisposable
{
    private const int NonceSize = 12;
    private readonly SecretBytes _key;
    private readonly byte[] _associated;

    public PackCipher(RepositoryKeys keys, PackKind kind, uint epoch, ReadOnlySpan<byte> salt)
    {
        _key = keys.DerivePackKey(epoch, salt);
        _associated = new byte[4 + 1 + 1 + keys.RepositoryId.Length];
        PackFormat.Magic.CopyTo(_associated);
        _associated[4] = PackFormat.Version;
        _associated[5] = (byte)kind;
        keys.RepositoryId.CopyTo(_associated.AsSpan(6));
    }

    /// <summary>Encrypts into <paramref name="destination"/>, which has room for the tag behind the ciphertext.</summary>
    public void Seal(PackPart part, uint offset, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        Nonce(nonce, part, offset);
        using var aes = new AesGcm(_key.Span, PackFormat.TagSize);
        aes.Encrypt(nonce, plaintext, destination[..plaintext.Length], destination.Slice(plaintext.Length, PackFormat.TagSize), _associated);
    }

    /// <summary>Decrypts <paramref name="stored"/> (ciphertext and tag) into <paramref name="plaintext"/>, which may be the same memory.</summary>
    /// <exception cref="AuthenticationTagMismatchException">These are not the bytes that were sealed at this place.</exception>
    public void Open(PackPart part, uint offset, ReadOnlySpan<byte> stored, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[NonceSize];
        Nonce(nonce, part, offset);
        using var aes = new AesGcm(_key.Span, PackFormat.TagSize);
        aes.Decrypt(nonce, stored[..^PackFormat.TagSize], stored[^PackFormat.TagSize..], plaintext, _associated);
    }

    public void Dispose() => _key.Dispose();

    private static void Nonce(Span<byte> nonce, PackPart part, uint offset)
    {
        nonce.Clear();
        nonce[0] = (byte)part;
        BinaryPrimitives.WriteUInt32BigEndian(nonce[8..], offset);
    }
}

/// <summary>Which part of a pack is encrypted: the first byte of the nonce.</summary>
internal enum PackPart : byte
{
    Block = 1,
    Directory = 2,
}
