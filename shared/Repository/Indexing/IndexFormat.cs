using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Indexing;

/// <summary>Sizes and places of an index segment's parts (FORMAT.md §6).</summary>
internal static class IndexFormat
{
    public const string Prefix = "index/";

    public const byte Version = 1;

    /// <summary>magic 4, version 1, reserved 3, epoch 4, salt 32, front length 4, pages 4, entries 4, reserved 8.</summary>
    public const int HeaderSize = 64;

    public const int SaltSize = 32;

    public const int TagSize = 16;

    public const int HashSize = 32;

    /// <summary>id 24, block 4, offset 4, length 4.</summary>
    public const int EntrySize = ChunkId.Size + 12;

    public const int EntriesPerPage = 1024;

    public const int PackRecord = 32 + 32 + 1 + 4 + 4;

    public const int BlockRecord = 16;

    /// <summary>Entries of one segment at most: bounds the memory of writing and merging.</summary>
    public const int MaximumEntries = 1 << 20;

    private static readonly SearchValues<char> HexDigits = SearchValues.Create("0123456789abcdef");

    public static ReadOnlySpan<byte> Magic => "FBIX"u8;

    public static string NameOf(ReadOnlySpan<byte> salt) => Prefix + Convert.ToHexStringLower(salt);

    public static bool IsName(string name) =>
        name.Length == Prefix.Length + (SaltSize * 2) && !name.AsSpan(Prefix.Length).ContainsAnyExcept(HexDigits);

    public static int PageStored(int entryCount, int page) => (PageEntries(entryCount, page) * EntrySize) + TagSize;

    public static int PageEntries(int entryCount, int page) => Math.Min(EntriesPerPage, entryCount - (page * EntriesPerPage));

    public static long PageOffset(int frontStored, int page) => HeaderSize + frontStored + ((long)page * ((EntriesPerPage * EntrySize) + TagSize));
}

/// <summary>Which part of a segment is encrypted: the first byte of the nonce.</summary>
internal enum IndexPart : byte
{
    Front = 1,
    Page = 2,
}

/// <summary>Encrypts and decrypts the parts of one segment under its own key. Safe for concurrent use.</summary>
internal sealed class IndexCipher : IDisposable
{
    private readonly SecretBytes _key;
    private readonly byte[] _associated;

    /// <param name="keys">Keys.</param>
    /// <param name="header">The segment's header: its counts are bound into every part.</param>
    public IndexCipher(RepositoryKeys keys, ReadOnlySpan<byte> header)
    {
        _key = keys.DerivePackKey(BinaryPrimitives.ReadUInt32LittleEndian(header[8..]), header.Slice(12, IndexFormat.SaltSize));
        _associated = [.. header, .. keys.RepositoryId];
    }

    public void Seal(IndexPart part, int number, ReadOnlySpan<byte> plaintext, Span<byte> destination)
    {
        Span<byte> nonce = stackalloc byte[12];
        Nonce(nonce, part, number);
        using var aes = new AesGcm(_key.Span, IndexFormat.TagSize);
        aes.Encrypt(nonce, plaintext, destination[..plaintext.Length], destination.Slice(plaintext.Length, IndexFormat.TagSize), _associated);
    }

    /// <exception cref="AuthenticationTagMismatchException">These are not the bytes that were sealed at this place.</exception>
    public void Open(IndexPart part, int number, ReadOnlySpan<byte> stored, Span<byte> plaintext)
    {
        Span<byte> nonce = stackalloc byte[12];
        Nonce(nonce, part, number);
        using var aes = new AesGcm(_key.Span, IndexFormat.TagSize);
        aes.Decrypt(nonce, stored[..^IndexFormat.TagSize], stored[^IndexFormat.TagSize..], plaintext, _associated);
    }

    public void Dispose() => _key.Dispose();

    private static void Nonce(Span<byte> nonce, IndexPart part, int number)
    {
        nonce.Clear();
        nonce[0] = (byte)part;
        BinaryPrimitives.WriteInt32BigEndian(nonce[8..], number);
    }
}
