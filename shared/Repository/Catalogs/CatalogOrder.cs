namespace FunctionsBackup.Repository.Catalogs;

/// <summary>The order of a catalog: bytes, with <c>/</c> before every other byte, which is the order of a sorted depth-first walk.</summary>
public static class CatalogOrder
{
    /// <summary>Negative, zero or positive as <paramref name="left"/> comes before, is, or comes after <paramref name="right"/>.</summary>
    public static int Compare(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        var common = left.CommonPrefixLength(right);
        if (common == left.Length || common == right.Length) return left.Length.CompareTo(right.Length);
        return Rank(left[common]).CompareTo(Rank(right[common]));

        static int Rank(byte value) => value == (byte)'/' ? 0 : value;
    }
}
