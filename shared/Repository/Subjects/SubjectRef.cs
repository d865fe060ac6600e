using System.Buffers.Binary;
using System.Globalization;
using FunctionsBackup.Repository.Keys;

namespace FunctionsBackup.Repository.Subjects;

/// <summary>Which key the contents of a data subject are sealed with: a pseudonym of the subject, and which of its keys in order.</summary>
/// <param name="Pseudonym">16 bytes of a keyed hash of the subject's name: nobody without the repository's keys can tell whose it is.</param>
/// <param name="Generation">From 1 on: after an erasure the next one begins.</param>
public readonly record struct SubjectRef(UInt128 Pseudonym, uint Generation)
{
    /// <summary>Bytes in a catalog entry.</summary>
    internal const int Size = 20;

    internal const string Keys = "subjects/";
    internal const string Tombstones = "erased/";

    private const uint MaximumGeneration = 999_999;

    /// <summary>32 hex digits.</summary>
    public string PseudonymText => Format(Pseudonym);

    /// <summary>The object that holds the key.</summary>
    public string KeyName => $"{Keys}{Suffix}";

    /// <summary>The object that says that the key was destroyed, for ever.</summary>
    public string TombstoneName => $"{Tombstones}{Suffix}";

    private string Suffix => string.Create(CultureInfo.InvariantCulture, $"{PseudonymText}/{Generation:D6}");

    /// <summary>From the name of either object; null: it is neither.</summary>
    public static SubjectRef? Parse(string name)
    {
        var rest = name.AsSpan();
        if (rest.StartsWith(Keys)) rest = rest[Keys.Length..];
        else if (rest.StartsWith(Tombstones)) rest = rest[Tombstones.Length..];
        else return null;
        return rest.Length == 39 && rest[32] == '/' && KeyObjects.IsLowerHex(rest[..32])
            && UInt128.TryParse(rest[..32], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var pseudonym)
            && uint.TryParse(rest[33..], NumberStyles.None, CultureInfo.InvariantCulture, out var generation) && generation > 0
                ? new SubjectRef(pseudonym, generation) : null;
    }

    internal static string Format(UInt128 pseudonym) => pseudonym.ToString("x32", CultureInfo.InvariantCulture);

    internal static SubjectRef Read(ReadOnlySpan<byte> source)
    {
        var read = new SubjectRef(BinaryPrimitives.ReadUInt128BigEndian(source), BinaryPrimitives.ReadUInt32LittleEndian(source[16..]));
        return read.Generation is > 0 and <= MaximumGeneration ? read : throw new InvalidDataException("A catalog entry names an impossible key.");
    }

    internal void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt128BigEndian(destination, Pseudonym);
        BinaryPrimitives.WriteUInt32LittleEndian(destination[16..], Generation);
    }

    /// <exception cref="RepositoryException">There are no more.</exception>
    internal SubjectRef Next() => Generation < MaximumGeneration
        ? this with { Generation = Generation + 1 }
        : throw new RepositoryException($"The subject {PseudonymText} was erased {MaximumGeneration} times, and cannot have another key.");
}
