using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Subjects;

/// <summary>
/// The key of one data subject. Chunks of the subject's files are sealed with it before they go into packs, so that destroying it is to erase
/// them everywhere (FORMAT.md §4.4). Safe for concurrent use until disposed.
/// </summary>
public sealed class SubjectKey : IDisposable
{
    private readonly SecretBytes _data, _nonce;
    private readonly byte[] _context;

    /// <param name="reference">Which it is.</param>
    /// <param name="repositoryId">32 hex digits.</param>
    /// <param name="key">32 random bytes.</param>
    internal SubjectKey(SubjectRef reference, string repositoryId, ReadOnlySpan<byte> key)
    {
        Reference = reference;
        _data = KeyDerivation.Derive(key, "FunctionsBackup subject data 1"u8);
        _nonce = KeyDerivation.Derive(key, "FunctionsBackup subject nonce 1"u8);
        _context = [.. "FBSU"u8, .. Convert.FromHexString(repositoryId), .. new byte[SubjectRef.Size]];
        reference.Write(_context.AsSpan(20));
    }

    public SubjectRef Reference { get; }

    /// <summary>What the ciphertext is bound to besides its own first bytes and its plaintext's length.</summary>
    internal ReadOnlySpan<byte> Context => _context;

    /// <summary>
    /// A nonce that follows from what is sealed with it: equal chunks give equal bytes, which is what lets them be stored once, and different ones
    /// never share a nonce, but for a collision of 96 bits.
    /// </summary>
    internal void DeriveNonce(ReadOnlySpan<byte> associated, ReadOnlySpan<byte> plaintext, Span<byte> nonce)
    {
        using var hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, _nonce.Span);
        Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
        hash.AppendData(associated);
        hash.AppendData(plaintext);
        hash.GetHashAndReset(code);
        code[..nonce.Length].CopyTo(nonce);
    }

    internal AesGcm CreateCipher() => new(_data.Span, SubjectCodec.TagSize);

    public void Dispose()
    {
        _data.Dispose();
        _nonce.Dispose();
    }
}
