namespace FunctionsBackup.Components.Files.Globs;

/// <summary>A list of globs, of which the last that matches decides, so that a later <c>!pattern</c> takes back an earlier one.</summary>
public sealed class GlobSet
{
    private readonly Glob[] _globs;

    private GlobSet(Glob[] globs) => _globs = globs;

    public bool IsEmpty => _globs.Length == 0;

    /// <exception cref="FormatException">One is not a pattern; the message says which and why.</exception>
    public static GlobSet Parse(IReadOnlyList<string> globs) => new([.. globs.Select(Glob.Parse)]);

    /// <param name="path">Relative to the root, without a leading or trailing <c>/</c>; empty (the root itself) never matches.</param>
    /// <param name="isDirectory">What the path is.</param>
    public bool IsMatch(ReadOnlySpan<byte> path, bool isDirectory)
    {
        if (path.IsEmpty) return false;
        for (var i = _globs.Length - 1; i >= 0; i--)
            if (_globs[i].IsMatch(path, isDirectory)) return !_globs[i].IsNegated;
        return false;
    }
}
