using System.Globalization;
using FunctionsBackup.Repository.Sealing;

namespace FunctionsBackup.Components.PostgreSql.Wal;

/// <summary>
/// The names of the archive's objects: <c>wal/SYSTEMID/TIMELINE/FILE</c>, and for parts of an unfinished segment
/// <c>wal/SYSTEMID/TIMELINE/SEGMENT.parts/BEGIN-END</c> (byte offsets, 8 hex digits each), so that the parts of one segment can be listed
/// by themselves.
/// </summary>
internal sealed class WalObjectNames(string systemIdentifier)
{
    private const string PartsSuffix = ".parts/";

    public string Root { get; } = $"wal/{systemIdentifier}/";

    public string Timeline(uint timeline) => string.Create(CultureInfo.InvariantCulture, $"{Root}{timeline:X8}/");

    public string File(in WalFileName name) => name.Kind == WalFileKind.History ? Root + name.Text : Timeline(name.Timeline) + name.Text;

    public string Segment(in WalSegmentName name) => Timeline(name.Timeline) + name;

    public string Partial(in WalSegmentName name) => Segment(name) + ".partial";

    public string Parts(in WalSegmentName name) => Segment(name) + PartsSuffix;

    public string Part(in WalSegmentName name, int begin, int end) =>
        string.Create(CultureInfo.InvariantCulture, $"{Parts(name)}{begin:X8}-{end:X8}");

    /// <summary>Which segment and which bytes of it an object below <see cref="Timeline"/> holds, if it is a part.</summary>
    public static bool TryParsePart(string objectName, out WalSegmentName segment, out int begin, out int end)
    {
        (segment, begin, end) = (default, 0, 0);
        var at = objectName.IndexOf(PartsSuffix, StringComparison.Ordinal);
        if (at < 24 || !WalSegmentName.TryParse(objectName[(at - 24)..at], out segment)) return false;
        var range = objectName.AsSpan(at + PartsSuffix.Length);
        return range.Length == 17 && range[8] == '-'
            && int.TryParse(range[..8], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out begin)
            && int.TryParse(range[9..], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out end)
            && begin >= 0 && begin < end && end <= Reading.WalVersion.MaximumSegmentSize;
    }

    /// <summary>The last part of an object's name.</summary>
    public static string FileName(string objectName) => objectName[(objectName.LastIndexOf('/') + 1)..];

    public static SealedKind Kind(WalFileKind kind) => kind switch
    {
        WalFileKind.Segment => SealedKind.WalSegment,
        WalFileKind.PartialSegment => SealedKind.WalPart,
        // Two kinds of small text files; their names tell them apart, and the name is bound into the encryption.
        _ => SealedKind.TimelineHistory,
    };
}
