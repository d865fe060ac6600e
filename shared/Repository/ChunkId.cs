using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;

namespace FunctionsBackup.Repository;

/// <summary>
/// The name of a chunk: the first 24 bytes of HMAC-SHA-256 over its plaintext, keyed with the repository's id key (FORMAT.md §3).
/// Keyed, so that nobody without the key can confirm what a repository holds; 192 bits, so that ids do not collide.
/// </summary>
public readonly struct ChunkId : IEquatable<ChunkId>, IComparable<ChunkId>
{
    public const int Size = 24;

    private readonly ulong _a, _b, _c;

    private ChunkId(ulong a, ulong b, ulong c) => (_a, _b, _c) = (a, b, c);

    /// <summary>Whether this is the all-zero id, which names nothing.</summary>
    public bool IsNone => (_a | _b | _c) == 0;

    /// <summary>The first 8 bytes as a big-endian number: uniformly distributed, used for hashing and searching.</summary>
    public ulong Prefix => _a;

    /// <summary>The second 8 bytes as a big-endian number: independent of <see cref="Prefix"/>.</summary>
    public ulong Middle => _b;

    public static ChunkId Read(ReadOnlySpan<byte> source) => new(
        BinaryPrimitives.ReadUInt64BigEndian(source),
        BinaryPrimitives.ReadUInt64BigEndian(source[8..]),
        BinaryPrimitives.ReadUInt64BigEndian(source[16..]));

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64BigEndian(destination, _a);
        BinaryPrimitives.WriteUInt64BigEndian(destination[8..], _b);
        BinaryPrimitives.WriteUInt64BigEndian(destination[16..], _c);
    }

    public static bool TryParse([NotNullWhen(true)] string? text, out ChunkId id)
    {
        id = default;
        if (text?.Length != Size * 2) return false;
        Span<byte> bytes = stackalloc byte[Size];
        if (Convert.FromHexString(text, bytes, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        id = Read(bytes);
        return true;
    }

    public int CompareTo(ChunkId other)
    {
        if (_a != other._a) return _a < other._a ? -1 : 1;
        if (_b != other._b) return _b < other._b ? -1 : 1;
        return _c.CompareTo(other._c);
    }

    public bool Equals(ChunkId other) => _a == other._a && _b == other._b && _c == other._c;

    public override bool Equals(object? obj) => obj is ChunkId other && Equals(other);

    public override int GetHashCode() => (int)_a;

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[Size];
        Write(bytes);
        return Convert.ToHexStringLower(bytes);
    }

    public static bool operator ==(ChunkId left, ChunkId right) => left.Equals(right);

    public static bool operator !=(ChunkId left, ChunkId right) => !left.Equals(right);

    public static bool operator <(ChunkId left, ChunkId right) => left.CompareTo(right) < 0;

    public static bool operator >(ChunkId left, ChunkId right) => left.CompareTo(right) > 0;

    public static bool operator <=(ChunkId left, ChunkId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(ChunkId left, ChunkId right) => left.CompareTo(right) >= 0;
}
