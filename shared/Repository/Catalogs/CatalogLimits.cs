namespace FunctionsBackup.Repository.Catalogs;

/// <summary>
/// How large the parts of a catalog entry may be. The writer keeps to them because readers, who must not trust a repository, refuse what
/// is larger: better one file left out with a warning than a catalog that nobody can read.
/// </summary>
public static class CatalogLimits
{
    public const int MaximumLinkTarget = 1 << 20;

    /// <summary>Of what a component keeps beside an entry, bytes.</summary>
    public const int MaximumExtra = 1 << 16;

    public const int MaximumAttributes = 1 << 16;

    public const int MaximumAttributeName = 256;

    public const int MaximumAttributeValue = 1 << 20;

    /// <summary>
    /// All variable parts of an entry together, bytes. A leaf takes entries until it has 512 KiB, and it is one chunk, of at most 2 MiB.
    /// </summary>
    public const int MaximumEntry = 1 << 20;

    /// <summary>What the numbers and lengths of an entry or attribute can take, more or less.</summary>
    private const int Overhead = 128, AttributeOverhead = 8;

    /// <summary>Why an entry cannot be in a catalog, as the end of a sentence; null: it can.</summary>
    public static string? Problem(CatalogEntry entry)
    {
        if (!CatalogPath.IsValid(entry.Path.Span)) return "its path is too long, or no relative path";
        if (entry.LinkTarget.Length > MaximumLinkTarget) return "its link target is too long";
        if (entry.Extra.Length > MaximumExtra) return "what belongs to it is too large";
        if (entry.ExtendedAttributes.Count > MaximumAttributes || entry.ExtendedAttributes.Any(a => !IsPossible(a)))
            return "its extended attributes are too large";
        return SizeOf(entry) > MaximumEntry ? "its path, link target and extended attributes are too large together" : null;
    }

    /// <summary>The attributes that an entry can take beside its other parts, in order.</summary>
    public static IReadOnlyList<ExtendedAttribute> Fitting(CatalogEntry entry, IReadOnlyList<ExtendedAttribute> attributes)
    {
        var room = MaximumEntry - SizeOf(entry with { ExtendedAttributes = [] });
        if (attributes.Count <= MaximumAttributes && attributes.All(IsPossible) && attributes.Sum(SizeOf) <= room) return attributes;
        var fitting = new List<ExtendedAttribute>();
        foreach (var attribute in attributes)
        {
            if (!IsPossible(attribute) || SizeOf(attribute) > room || fitting.Count == MaximumAttributes) continue;
            room -= (int)SizeOf(attribute);
            fitting.Add(attribute);
        }

        return fitting;
    }

    private static bool IsPossible(ExtendedAttribute attribute) =>
        attribute.Name.Length is > 0 and <= MaximumAttributeName && attribute.Value.Length <= MaximumAttributeValue;

    private static long SizeOf(ExtendedAttribute attribute) => (long)AttributeOverhead + attribute.Name.Length + attribute.Value.Length;

    private static long SizeOf(CatalogEntry entry) => (long)Overhead + entry.Path.Length + entry.LinkTarget.Length + entry.HardLinkTo.Length
        + entry.Extra.Length + ((entry.Content?.Items.Length ?? 0) * Contents.ItemList.ItemSize) + entry.ExtendedAttributes.Sum(SizeOf);
}
