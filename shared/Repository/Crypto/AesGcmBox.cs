using System.Security.Cryptography;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>
/// AES-256-GCM for small secrets that a long-lived key seals: a fresh random 96-bit nonce in front, the 128-bit tag behind.
/// </summary>
/// <remarks>Random nonces are safe for 2^32 messages of a key; keys used so seal a handful in a repository's life.</remarks>
internal static class AesGcmBox
{
    public const int NonceSize = 12;
    public const int TagSize = 16;

    /// <summary>Bytes that sealing adds.</summary>
    public const int Overhead = NonceSize + TagSize;

    /// <summary>Returns nonce, ciphertext, tag.</summary>
    public static byte[] Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plaintext, ReadOnlySpan<byte> associatedData)
    {
        var sealedBytes = new byte[plaintext.Length + Overhead];
        var nonce = sealedBytes.AsSpan(0, NonceSize);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagSize);
        aes.Encrypt(nonce, plaintext, sealedBytes.AsSpan(NonceSize, plaintext.Length), sealedBytes.AsSpan(^TagSize..), associatedData);
        return sealedBytes;
    }

    /// <returns>The plaintext, or null if the key, the associated data or a byte is not what it was sealed with.</returns>
    public static SecretBytes? TryOpen(ReadOnlySpan<byte> key, ReadOnlySpan<byte> sealedBytes, ReadOnlySpan<byte> associatedData)
    {
        if (sealedBytes.Length < Overhead) return null;
        using var aes = new AesGcm(key, TagSize);
        var plaintext = new byte[sealedBytes.Length - Overhead];
        try
        {
            aes.Decrypt(sealedBytes[..NonceSize], sealedBytes[NonceSize..^TagSize], sealedBytes[^TagSize..], plaintext, associatedData);
            return SecretBytes.Copy(plaintext);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        finally
        {
            CryptographicOperations.ZeroMemory(plaintext);
        }
    }
}
