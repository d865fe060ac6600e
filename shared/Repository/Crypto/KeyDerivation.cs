using System.Security.Cryptography;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>Derives keys from keys: HKDF-Expand with SHA-256 (RFC 5869 §2.3), from uniformly random 32-byte keys only.</summary>
public static class KeyDerivation
{
    public const int KeySize = 32;

    /// <summary>Fills <paramref name="output"/> with a key for one purpose.</summary>
    /// <param name="key">32 random bytes.</param>
    /// <param name="purpose">ASCII; distinct for every use of the same key.</param>
    /// <param name="salt">Appended to the purpose after a zero byte: makes the key one object's own. At most 64 bytes.</param>
    /// <param name="output">At most 8160 bytes.</param>
    public static void Expand(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose, ReadOnlySpan<byte> salt, Span<byte> output)
    {
        if (key.Length != KeySize) throw new ArgumentException($"A key has {KeySize} bytes, not {key.Length}.", nameof(key));
        if (salt.Length > 64 || purpose.Length > 64) throw new ArgumentException("Purpose and salt have at most 64 bytes each.");
        Span<byte> info = stackalloc byte[purpose.Length + 1 + salt.Length];
        purpose.CopyTo(info);
        info[purpose.Length] = 0;
        salt.CopyTo(info[(purpose.Length + 1)..]);
        HKDF.Expand(HashAlgorithmName.SHA256, key, output, info);
    }

    /// <summary>A 32-byte key for one purpose.</summary>
    public static SecretBytes Derive(ReadOnlySpan<byte> key, ReadOnlySpan<byte> purpose, ReadOnlySpan<byte> salt = default)
    {
        Span<byte> output = stackalloc byte[KeySize];
        Expand(key, purpose, salt, output);
        var secret = SecretBytes.Copy(output);
        CryptographicOperations.ZeroMemory(output);
        return secret;
    }
}
