using FunctionsBackup.Components.Files.Globs;
using FunctionsBackup.Components.Posix;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Which entries of a catalog a restore wants, and where they go.</summary>
internal sealed class RestoreSelection
{
    private readonly byte[][] _prefixes;
    private readonly GlobSet _include;

    /// <exception cref="FormatException">A glob is not one.</exception>
    internal RestoreSelection(TreeRestoreOptions options)
    {
        _prefixes = [.. options.Roots.Select(root => ByteName.Parse(root.Prefix.Trim('/')))];
        _include = GlobSet.Parse(options.Include);
    }

    internal bool TakesAll => _include.IsEmpty;

    /// <summary>Finds the root that <paramref name="path"/> belongs to: that with the longest prefix.</summary>
    /// <param name="path">In the catalog.</param>
    /// <param name="root">Number of the root.</param>
    /// <param name="relative">The path below the root; empty for the root itself.</param>
    internal bool TryFind(ReadOnlyMemory<byte> path, out int root, out ReadOnlyMemory<byte> relative)
    {
        (root, relative) = (-1, default);
        for (var i = 0; i < _prefixes.Length; i++)
        {
            var prefix = _prefixes[i];
            if (root >= 0 && prefix.Length <= _prefixes[root].Length) continue;
            if (prefix.Length == 0) (root, relative) = (i, path);
            else if (path.Span.StartsWith(prefix) && (path.Length == prefix.Length || path.Span[prefix.Length] == (byte)'/'))
                (root, relative) = (i, path.Length == prefix.Length ? default : path[(prefix.Length + 1)..]);
        }

        return root >= 0;
    }

    /// <summary>Whether a path below a root matches the globs, by itself or by a directory above it.</summary>
    internal bool IsIncluded(ReadOnlySpan<byte> relative, bool isDirectory)
    {
        if (_include.IsEmpty || _include.IsMatch(relative, isDirectory)) return true;
        for (var slash = relative.LastIndexOf((byte)'/'); slash > 0; slash = relative[..slash].LastIndexOf((byte)'/'))
            if (_include.IsMatch(relative[..slash], true)) return true;
        return false;
    }
}
