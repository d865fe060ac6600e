using System.Text;

namespace FunctionsBackup.Components.Files.Globs;

/// <summary>
/// One pattern, as in gitignore(5), matched on bytes: <c>*</c> and <c>?</c> do not cross <c>/</c>, <c>**</c> does, <c>[a-z]</c> and
/// <c>[!a-z]</c> are classes of bytes, <c>\</c> takes the next character as it is. Without a <c>/</c> before its end a pattern matches the
/// name at any depth, otherwise the whole path from the root. A <c>/</c> at the end matches directories only. <c>!</c> at the start
/// negates.
/// </summary>
public sealed class Glob
{
    private readonly byte[][] _parts;

    private Glob(byte[][] parts, bool directoriesOnly, bool negated) =>
        (_parts, DirectoriesOnly, IsNegated) = (parts, directoriesOnly, negated);

    public bool DirectoriesOnly { get; }

    public bool IsNegated { get; }

    /// <exception cref="FormatException">It is not a pattern; the message says why.</exception>
    public static Glob Parse(string text)
    {
        var pattern = Encoding.UTF8.GetBytes(text).AsSpan();
        var negated = pattern.StartsWith("!"u8);
        if (negated) pattern = pattern[1..];
        var directoriesOnly = pattern.EndsWith("/"u8);
        if (directoriesOnly) pattern = pattern[..^1];
        var anchored = pattern.Contains((byte)'/');
        if (pattern.StartsWith("/"u8)) pattern = pattern[1..];
        if (pattern.IsEmpty) throw new FormatException($"The glob '{text}' matches nothing; write a name or a path.");
        if (pattern.Contains((byte)0)) throw new FormatException($"The glob '{text}' holds a NUL, which no file name can.");

        var parts = new List<byte[]>();
        if (!anchored) parts.Add("**"u8.ToArray());
        foreach (var range in pattern.Split((byte)'/'))
        {
            var part = pattern[range];
            if (part.IsEmpty) throw new FormatException($"The glob '{text}' has an empty part between two slashes.");
            if (part.SequenceEqual("."u8) || part.SequenceEqual(".."u8))
                throw new FormatException($"The glob '{text}' has a '.' or '..' part; globs are relative to the path that is backed up.");
            GlobPart.Check(part, text);
            if (!part.SequenceEqual("**"u8) || parts.Count == 0 || !IsAny(parts[^1])) parts.Add(part.ToArray());
        }

        return new Glob([.. parts], directoriesOnly, negated);
    }

    /// <param name="path">Relative to the root, without a leading or trailing <c>/</c>.</param>
    /// <param name="isDirectory">What the path is.</param>
    public bool IsMatch(ReadOnlySpan<byte> path, bool isDirectory)
    {
        if (DirectoriesOnly && !isDirectory) return false;

        // The common form, a pattern of one name, needs the last component alone.
        if (_parts.Length == 2 && IsAny(_parts[0]) && !IsAny(_parts[1]))
            return GlobPart.IsMatch(_parts[1], path[(path.LastIndexOf((byte)'/') + 1)..]);
        return IsMatch(_parts, path);
    }

    // Backtracks over ** as wildcard matching does over *: only the last one needs to be retried, so the time is at most parts times depth.
    private static bool IsMatch(ReadOnlySpan<byte[]> parts, ReadOnlySpan<byte> path)
    {
        var (part, retryPart) = (0, -1);
        var retryPath = path;
        while (!path.IsEmpty)
        {
            if (part < parts.Length && IsAny(parts[part]))
            {
                if (part == parts.Length - 1) return true;
                retryPart = ++part;
                retryPath = path;
                continue;
            }

            var slash = path.IndexOf((byte)'/');
            if (part < parts.Length && GlobPart.IsMatch(parts[part], slash < 0 ? path : path[..slash]))
            {
                part++;
                path = slash < 0 ? default : path[(slash + 1)..];
                continue;
            }

            if (retryPart < 0) return false;
            slash = retryPath.IndexOf((byte)'/');
            if (slash < 0) return false;
            retryPath = retryPath[(slash + 1)..];
            part = retryPart;
            path = retryPath;
        }

        // "a/**" is what lies under a, not a itself, so what is left over must be nothing.
        return part == parts.Length;
    }

    private static bool IsAny(byte[] part) => part.Length == 2 && part[0] == (byte)'*' && part[1] == (byte)'*';
}
