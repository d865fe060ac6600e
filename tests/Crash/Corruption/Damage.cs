namespace FunctionsBackup.Tests.Crash.Corruption;

/// <summary>One way to damage an object.</summary>
/// <param name="How">For people.</param>
/// <param name="Content">Its bytes then; null: it is gone.</param>
internal sealed record Damage(string How, byte[]? Content)
{
    private const int RandomFlips = 12;

    /// <summary>Everything that is tried on an object.</summary>
    /// <param name="content">Its bytes.</param>
    /// <param name="others">Bytes of other objects, which stand in for it.</param>
    /// <param name="seed">For the random places.</param>
    public static IEnumerable<Damage> All(byte[] content, IEnumerable<(string Name, byte[] Content)> others, int seed)
    {
        var random = new Random(seed);
        var places = new SortedSet<int> { 0, 4, 5, 6, 8, content.Length / 3, content.Length / 2, content.Length - 17, content.Length - 5, content.Length - 1 };
        for (var i = 0; i < RandomFlips; i++) places.Add(random.Next(content.Length));
        foreach (var place in places.Where(place => place >= 0 && place < content.Length))
        {
            var flipped = content.ToArray();
            flipped[place] ^= (byte)(1 << random.Next(8));
            yield return new Damage($"bit flipped in byte {place} of {content.Length}", flipped);
        }

        foreach (var length in new SortedSet<int> { 0, 1, content.Length / 2, content.Length - 1 }.Where(length => length < content.Length))
            yield return new Damage($"cut to {length} of {content.Length} bytes", content[..length]);
        yield return new Damage("a byte appended", [.. content, 0]);
        yield return new Damage("its first half twice", [.. content[..(content.Length / 2)], .. content[..(content.Length - (content.Length / 2))]]);
        yield return new Damage("zeros", new byte[content.Length]);
        foreach (var (name, other) in others)
            if (!other.AsSpan().SequenceEqual(content)) yield return new Damage($"swapped with {name}", other);
        yield return new Damage("dropped", null);
    }
}
