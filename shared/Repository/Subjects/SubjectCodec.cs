using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Compression;
using FunctionsBackup.Repository.Contents;

namespace FunctionsBackup.Repository.Subjects;

/// <summary>
/// Seals and opens chunks of data subjects (FORMAT.md §4.4): compressed first, since what is sealed cannot be compressed any more. One per worker:
/// not for concurrent use.
/// </summary>
internal sealed class SubjectCodec(CompressionSettings settings) : IDisposable
{
    public const int TagSize = 16;

    /// <summary>Bytes that sealing adds at most: version, compression, nonce, tag.</summary>
    public const int Overhead = 2 + NonceSize + TagSize;

    /// <summary>The longest chunk that stays within the largest one when sealed.</summary>
    public const int MaximumChunk = ContentLimits.MaximumChunkSize - Overhead;

    private const byte Version = 1;
    private const int NonceSize = 12;

    private readonly BlockCompressor _compressor = new(settings);
    private readonly BlockDecompressor _decompressor = new();
    private readonly byte[] _buffer = new byte[ContentLimits.MaximumChunkSize];
    private readonly byte[] _sealed = new byte[ContentLimits.MaximumChunkSize];

    /// <summary>Seals a chunk of at most <see cref="MaximumChunk"/> bytes.</summary>
    /// <returns>Valid until the next call.</returns>
    public ReadOnlyMemory<byte> Seal(SubjectKey key, ReadOnlySpan<byte> chunk)
    {
        var packed = CompressibilityProbe.LooksIncompressible(chunk) ? 0 : _compressor.Compress(chunk, _buffer);
        var plain = packed > 0 ? _buffer.AsSpan(0, packed) : chunk;
        _sealed[0] = Version;
        _sealed[1] = (byte)(packed > 0 ? _compressor.Algorithm : CompressionAlgorithm.None);
        Span<byte> associated = stackalloc byte[key.Context.Length + 6];
        Associate(key, _sealed.AsSpan(0, 2), chunk.Length, associated);
        var nonce = _sealed.AsSpan(2, NonceSize);
        key.DeriveNonce(associated, plain, nonce);
        var length = 2 + NonceSize + plain.Length + TagSize;
        using var cipher = key.CreateCipher();
        cipher.Encrypt(nonce, plain, _sealed.AsSpan(2 + NonceSize, plain.Length), _sealed.AsSpan(length - TagSize, TagSize), associated);
        return _sealed.AsMemory(0, length);
    }

    /// <summary>Opens a sealed chunk.</summary>
    /// <param name="key">Of the subject.</param>
    /// <param name="stored">As it lay in its pack.</param>
    /// <param name="length">The chunk's own length.</param>
    /// <returns>Valid until the next call.</returns>
    /// <exception cref="InvalidDataException">It is not a chunk of that length that this key sealed.</exception>
    public ReadOnlyMemory<byte> Open(SubjectKey key, ReadOnlySpan<byte> stored, int length)
    {
        if (stored.Length <= Overhead || stored.Length > ContentLimits.MaximumChunkSize || length is <= 0 or > MaximumChunk)
            throw new InvalidDataException("A sealed chunk has an impossible length.");
        if (stored[0] != Version) throw new InvalidDataException($"A sealed chunk is of version {stored[0]}, which this program does not know.");
        Span<byte> associated = stackalloc byte[key.Context.Length + 6];
        Associate(key, stored[..2], length, associated);
        var plain = _sealed.AsMemory(0, stored.Length - Overhead);
        try
        {
            using var cipher = key.CreateCipher();
            cipher.Decrypt(stored.Slice(2, NonceSize), stored[(2 + NonceSize)..^TagSize], stored[^TagSize..], plain.Span, associated);
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new InvalidDataException("A sealed chunk was changed, or another key sealed it.", e);
        }

        if (stored[1] == (byte)CompressionAlgorithm.None)
            return plain.Length == length ? plain : throw new InvalidDataException("A sealed chunk has another length than its list says.");
        _decompressor.Decompress((CompressionAlgorithm)stored[1], plain.Span, _buffer.AsSpan(0, length));
        return _buffer.AsMemory(0, length);
    }

    public void Dispose()
    {
        _compressor.Dispose();
        _decompressor.Dispose();
        CryptographicOperations.ZeroMemory(_buffer);
        CryptographicOperations.ZeroMemory(_sealed);
    }

    private static void Associate(SubjectKey key, ReadOnlySpan<byte> start, int length, Span<byte> associated)
    {
        key.Context.CopyTo(associated);
        start.CopyTo(associated[key.Context.Length..]);
        BinaryPrimitives.WriteInt32LittleEndian(associated[(key.Context.Length + 2)..], length);
    }
}

/// <summary>Lends codecs to workers. Safe for concurrent use.</summary>
internal sealed class SubjectCodecPool(CompressionSettings settings) : IDisposable
{
    private readonly ConcurrentBag<SubjectCodec> _free = [];

    public SubjectCodec Rent() => _free.TryTake(out var codec) ? codec : new SubjectCodec(settings);

    public void Return(SubjectCodec codec) => _free.Add(codec);

    public void Dispose()
    {
        while (_free.TryTake(out var codec)) codec.Dispose();
    }
}
