using System.Buffers.Binary;
using System.Numerics;

namespace FunctionsBackup.Components.Layers;

/// <summary>
/// A number from bytes that only orders them (FORMAT.md): nothing rests on its being unique.
/// </summary>
internal static class KeyHash
{
    private const ulong A = 0xA0761D6478BD642F, B = 0xE7037ED1A0B428DB;

    public static ulong Of(int seed, ReadOnlySpan<byte> key)
    {
        var hash = Mix(A ^ (uint)seed, B ^ (uint)key.Length);
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

    private static ulong Mix(ulong a, ulong b)
    {
        var high = Math.BigMul(a, b, out var low);
        return BitOperations.RotateLeft(high, 17) ^ low;
    }
}
