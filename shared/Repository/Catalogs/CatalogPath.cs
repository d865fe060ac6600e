namespace FunctionsBackup.Repository.Catalogs;

/// <summary>The rule for paths in a catalog, checked when writing and, against hostile repositories, when reading.</summary>
public static class CatalogPath
{
    public const int MaximumLength = 1 << 20;

    /// <summary>Relative, no NUL, no empty, <c>.</c> or <c>..</c> component, no component over 255 bytes.</summary>
    public static bool IsValid(ReadOnlySpan<byte> path)
    {
        if (path.Length is 0 or > MaximumLength || path.Contains((byte)0)) return false;
        foreach (var range in path.Split((byte)'/'))
        {
            var part = path[range];
            if (part.IsEmpty || part.Length > 255 || part.SequenceEqual("."u8) || part.SequenceEqual(".."u8)) return false;
        }

        return true;
    }
}
