using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Walking;

/// <summary>One path to back up: where it is on disk, and its name at the top of the catalog.</summary>
public sealed class WalkRoot : IDisposable
{
    private WalkRoot(string original, byte[] resolvedPath, byte[] catalogName, byte[] diskName, Descriptor holder)
    {
        (Original, ResolvedPath, CatalogName, DiskName, Holder) = (original, resolvedPath, catalogName, diskName, holder);
        HolderNode = WalkedDirectory.Root(ResolvedPath.Length > 1 ? Above(resolvedPath) : [(byte)'/']);
    }

    /// <summary>Absolute, as given.</summary>
    public string Original { get; }

    /// <summary>With symbolic links resolved: a path that is given is followed, links below it are not.</summary>
    public byte[] ResolvedPath { get; }

    public byte[] CatalogName { get; }

    /// <summary>Its name in <see cref="Holder"/>.</summary>
    public byte[] DiskName { get; }

    /// <summary>The directory that holds it, open.</summary>
    public Descriptor Holder { get; }

    public WalkedDirectory HolderNode { get; }

    /// <summary>Finds the paths; what does not exist is a warning, or an error if that is all of them.</summary>
    /// <returns>In the order of their names in the catalog: the last component, with <c>-2</c>, <c>-3</c>, … where that is taken.</returns>
    /// <param name="paths">The paths.</param>
    /// <param name="warnings">Told of what does not exist.</param>
    /// <param name="reserved">Top-level names that are not to be had; with any, there may be no paths at all.</param>
    /// <exception cref="FileNotFoundException">None of the paths exists.</exception>
    public static IReadOnlyList<WalkRoot> Find(IReadOnlyList<string> paths, WarningList warnings, IReadOnlyList<string>? reserved = null)
    {
        var roots = new List<WalkRoot>();
        var missing = new List<string>();
        var taken = new HashSet<string>(reserved ?? []);
        if (paths.Count == 0 && taken.Count > 0) return [];
        foreach (var given in paths)
        {
            var path = Path.GetFullPath(given);
            if (path.Length > 1) path = path.TrimEnd('/');

            // A missing path keeps its name, so that the others have the same names the next time it is there.
            var name = ChooseName(path, taken);
            var error = PathCalls.Resolve(ByteName.Parse(path), out var resolved);
            Descriptor? holder = null;
            if (error == PosixError.None) error = PathCalls.OpenDirectory(resolved.Length > 1 ? Above(resolved) : resolved, out holder);
            if (error == PosixError.None)
            {
                var diskName = resolved.Length > 1 ? ByteName.LastPart(resolved).ToArray() : [(byte)'.'];
                roots.Add(new WalkRoot(path, resolved, ByteName.Parse(name), diskName, holder!));
            }
            else
            {
                missing.Add($"{path} ({PosixException.Reason(error)})");
            }
        }

        if (roots.Count == 0)
            throw new FileNotFoundException(
                $"Nothing to back up: cannot find {string.Join(", ", missing)}; correct the paths in the configuration.");
        foreach (var path in missing) warnings.Add($"The path {path} was left out.");
        roots.Sort((left, right) => left.CatalogName.AsSpan().SequenceCompareTo(right.CatalogName));
        return roots;
    }

    public void Dispose() => Holder.Dispose();

    private static string ChooseName(string path, HashSet<string> taken)
    {
        var name = path == "/" ? "root" : path[(path.LastIndexOf('/') + 1)..];
        for (var number = 2; !taken.Add(name); number++)
        {
            var last = path == "/" ? "root" : path[(path.LastIndexOf('/') + 1)..];
            name = $"{last}-{number}";
        }

        return name;
    }

    private static byte[] Above(byte[] path)
    {
        var directory = ByteName.Directory(path);
        return directory.IsEmpty ? [(byte)'/'] : directory.ToArray();
    }
}
