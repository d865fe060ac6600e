using System.Security.Cryptography;
using System.Text;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Buckets;

/// <summary>
/// Keys of a bucket as paths of a catalog. Most are paths as they are. Those that are none (empty components, <c>.</c>, <c>..</c>, components of more than
/// 255 bytes, keys that end with <c>/</c>, keys below which others lie) get a path by their hash, below a name that comes after all others; the key
/// itself stands beside the entry.
/// </summary>
internal static class BucketKey
{
    /// <summary>U+10FFFF comes after all other characters, and is none; keys that begin with it all the same are by hash, too.</summary>
    private static readonly byte[] Last = [0xF4, 0x8F, 0xBF, 0xBF];
    private static readonly byte[] Others = [.. Last, .. "keys/"u8];

    /// <summary>The path, or null: it is to be one by its hash.</summary>
    public static byte[]? PathOf(byte[] root, string key)
    {
        var bytes = Encoding.UTF8.GetBytes(key);
        var path = ByteName.Join(root, bytes);
        return CatalogPath.IsValid(path) && !bytes.AsSpan().StartsWith(Last) ? path : null;
    }

    public static byte[] HashedPathOf(byte[] root, string key) =>
        ByteName.Join(root, [.. Others, .. Encoding.ASCII.GetBytes(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(key))))]);

    /// <summary>Whether a path, without its root, is by hash.</summary>
    public static bool IsHashed(ReadOnlySpan<byte> relative) => relative.StartsWith(Others);
}
