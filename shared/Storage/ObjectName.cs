namespace FunctionsBackup.Storage;

/// <summary>The rules for object names, so that every store can hold every object.</summary>
public static class ObjectName
{
    public const int MaximumLength = 512;

    /// <summary>A segment is a file's or folder's name in a file system store.</summary>
    public const int MaximumSegmentLength = 255;

    /// <summary>Returns <paramref name="name"/> if it is a legal object name.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static string Check(string name) =>
        IsName(name) ? name : throw new ArgumentException($"'{name}' is not a legal object name.", nameof(name));

    /// <summary>Returns <paramref name="prefix"/> if it is empty or a legal object name followed by <c>/</c>.</summary>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static string CheckPrefix(string prefix) =>
        prefix.Length == 0 || (prefix[^1] == '/' && IsName(prefix[..^1]))
            ? prefix
            : throw new ArgumentException($"'{prefix}' is not a legal object name prefix.", nameof(prefix));

    /// <summary>Whether <paramref name="segment"/> may stand between two slashes of a name.</summary>
    public static bool IsSegment(ReadOnlySpan<char> segment)
    {
        if (segment.Length is 0 or > MaximumSegmentLength || segment is "." or "..") return false;
        foreach (var c in segment)
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('.' or '_' or '-')) return false;
        return true;
    }

    /// <summary>Whether it is a legal object name.</summary>
    public static bool IsName(string name)
    {
        if (name.Length is 0 or > MaximumLength) return false;
        foreach (var segment in name.AsSpan().Split('/'))
            if (!IsSegment(name.AsSpan(segment))) return false;
        return true;
    }
}
