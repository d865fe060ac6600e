using System.Buffers.Binary;
using System.Numerics;
using System.Security.Cryptography;

namespace FunctionsBackup.Components.Redis.Snapshots;

/// <summary>
/// The order of keys in a snapshot, and what tells whether one has changed (FORMAT.md). The hash only orders: keys that share one are kept together
/// and compared as a group, so that nothing rests on its being unique.
/// </summary>
internal static class KeyHash
{
    public const int DigestSize = 16;

    private const ulong A = 0xA0761D6478BD642F, B = 0xE7037ED1A0B428DB;

    public static ulong Of(int database, ReadOnlySpan<byte> key)
    {
        var hash = Mix(A ^ (uint)database, B ^ (uint)key.Length);
        while (key.Length >= 8)
        {
            hash = Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(key), B);
            key = key[8..];
        }

        Span<byte> last = stackalloc byte[8];
        last.Clear();
        key.CopyTo(last);
        return Mix(hash ^ BinaryPrimitives.ReadUInt64LittleEndian(last), A);
    }

    /// <summary>The first 16 bytes of SHA-256 over a record as it is stored, from its flags on, with the value itself in the place of a name.</summary>
    public static void Digest(ReadOnlySpan<byte> record, Span<byte> digest)
    {
        Span<byte> full = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(record, full);
        full[..DigestSize].CopyTo(digest);
    }

    private static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return BitOperations.RotateLeft(high, 17) ^ low;
    }
}
