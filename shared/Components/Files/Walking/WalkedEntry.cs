using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository.Catalogs;

namespace FunctionsBackup.Components.Files.Walking;

/// <summary>What a walk found.</summary>
/// <param name="Path">Path in the catalog.</param>
/// <param name="Directory">The directory that holds it.</param>
/// <param name="NameLength">
/// How many of the path's last bytes are its name in <paramref name="Directory"/>; 0 for the root of a walk.
/// </param>
/// <param name="Kind">What it is.</param>
/// <param name="Status">What the system told of it.</param>
public sealed record WalkedEntry(byte[] Path, WalkedDirectory Directory, int NameLength, EntryKind Kind, FileStatus Status)
{
    /// <summary>Its name on disk, which for the root of a walk may differ from the last component of <see cref="Path"/>.</summary>
    public byte[]? RootName { get; init; }

    public ReadOnlySpan<byte> Name => RootName ?? Path.AsSpan(Path.Length - NameLength);
}
