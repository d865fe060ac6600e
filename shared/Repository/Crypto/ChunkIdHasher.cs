using System.Security.Cryptography;

namespace FunctionsBackup.Repository.Crypto;

/// <summary>Names chunks: see <see cref="ChunkId"/>. One per worker: not for concurrent use.</summary>
public sealed class ChunkIdHasher : IDisposable
{
    private readonly IncrementalHash _hash;

    /// <param name="idKey">The repository's id key, 32 bytes; copied.</param>
    public ChunkIdHasher(ReadOnlySpan<byte> idKey)
    {
        if (idKey.Length != KeyDerivation.KeySize) throw new ArgumentException("The id key has 32 bytes.", nameof(idKey));
        _hash = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, idKey);
    }

    /// <summary>The name of a chunk with these bytes.</summary>
    public ChunkId Compute(ReadOnlySpan<byte> plaintext)
    {
        Span<byte> code = stackalloc byte[HMACSHA256.HashSizeInBytes];
        _hash.AppendData(plaintext);
        _hash.GetHashAndReset(code);
        return ChunkId.Read(code);
    }

    public void Dispose() => _hash.Dispose();
}
