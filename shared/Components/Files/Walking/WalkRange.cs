using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Walking;

/// <summary>A stretch of a walk, by paths in <see cref="CatalogOrder"/>. Ranges that follow each other meet every path once.</summary>
/// <param name="From">The first path, included; null: from the beginning.</param>
/// <param name="To">Where it ends, excluded; null: to the end.</param>
public sealed record WalkRange(byte[]? From, byte[]? To)
{
    internal bool Contains(ReadOnlySpan<byte> path) => !IsBefore(path) && !IsBehind(path);

    /// <summary>The path comes before the range; what lies below it may be in it.</summary>
    internal bool IsBefore(ReadOnlySpan<byte> path) => From is not null && CatalogOrder.Compare(path, From) < 0;

    /// <summary>The path, and whatever follows, comes after the range.</summary>
    internal bool IsBehind(ReadOnlySpan<byte> path) => To is not null && CatalogOrder.Compare(path, To) >= 0;

    /// <summary>The range begins somewhere below this directory.</summary>
    internal bool BeginsBelow(ReadOnlySpan<byte> path) =>
        From is not null && From.Length > path.Length && From[path.Length] == (byte)'/' && From.AsSpan(0, path.Length).SequenceEqual(path);
}
