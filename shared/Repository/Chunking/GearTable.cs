using System.Buffers.Binary;
using System.Security.Cryptography;
using FunctionsBackup.Repository.Crypto;

namespace FunctionsBackup.Repository.Chunking;

/// <summary>
/// The 256 random 64-bit numbers that the rolling hash adds up, expanded from the repository's chunker secret. They are secret, so that
/// the sizes of chunks do not tell which known file is stored (FORMAT.md §4).
/// </summary>
public sealed class GearTable : IDisposable
{
    private readonly ulong[] _values = GC.AllocateArray<ulong>(512, pinned: true);

    /// <param name="secret">The chunker secret, 32 bytes.</param>
    public GearTable(ReadOnlySpan<byte> secret)
    {
        Span<byte> bytes = stackalloc byte[256 * sizeof(ulong)];
        KeyDerivation.Expand(secret, "FunctionsBackup gear table 1"u8, default, bytes);
        for (var i = 0; i < 256; i++)
        {
            _values[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * sizeof(ulong))..]);
            _values[256 + i] = _values[i] << 1;
        }

        CryptographicOperations.ZeroMemory(bytes);
    }

    /// <summary>The number of each byte value, and from 256 on the same numbers doubled.</summary>
    internal ReadOnlySpan<ulong> Values => _values;

    public void Dispose() => Array.Clear(_values);
}
