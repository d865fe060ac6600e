namespace FunctionsBackup.Benchmarks.DataSets;

/// <summary>SplitMix64 (Steele, Lea, Flood 2014): small, fast, and the same numbers on every runtime for one seed.</summary>
public struct SplitMix(ulong seed)
{
    private ulong _state = seed;

    /// <summary>An independent generator for one named part, so that parts can be made in any order and in parallel.</summary>
    public static SplitMix For(ulong seed, string part)
    {
        var hash = 0xCBF29CE484222325UL;
        foreach (var c in part) hash = (hash ^ c) * 0x100000001B3UL;
        var random = new SplitMix(seed ^ hash);
        random.Next();
        return random;
    }

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }

    /// <summary>A number from 0 to <paramref name="bound"/> - 1.</summary>
    public int Below(int bound) => (int)Math.BigMul(Next(), (ulong)bound, out _);

    /// <summary>A number from <paramref name="low"/> to <paramref name="high"/> - 1.</summary>
    public int Between(int low, int high) => low + Below(high - low);

    /// <summary>From 0 to just under 1.</summary>
    public double Fraction() => (Next() >> 11) * (1.0 / (1UL << 53));

    public void Fill(Span<byte> destination)
    {
        while (destination.Length >= 8)
        {
            BitConverter.TryWriteBytes(destination, Next());
            destination = destination[8..];
        }

        if (destination.IsEmpty) return;
        Span<byte> last = stackalloc byte[8];
        BitConverter.TryWriteBytes(last, Next());
        last[..destination.Length].CopyTo(destination);
    }

    public Guid Guid()
    {
        Span<byte> bytes = stackalloc byte[16];
        Fill(bytes);
        bytes[7] = (byte)((bytes[7] & 0x0F) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes);
    }
}
