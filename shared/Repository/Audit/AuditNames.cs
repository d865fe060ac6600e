using System.Globalization;

namespace FunctionsBackup.Repository.Audit;

/// <summary>Names of the log's objects (FORMAT.md §9).</summary>
public static class AuditNames
{
    public const string Prefix = "audit/";
    internal const string Writers = "audit/writers/";
    internal const string Segments = "audit/segments/";

    private const int WriterLength = 32;
    private const int SequenceLength = 10;

    /// <summary>The greatest number that a segment can have.</summary>
    internal const long MaximumSequence = 9_999_999_999;

    public static string WriterOf(string writer) => Writers + writer;

    public static string SegmentsOf(string writer) => $"{Segments}{writer}/";

    public static string SegmentOf(string writer, long sequence) =>
        SegmentsOf(writer) + sequence.ToString("D10", CultureInfo.InvariantCulture);

    internal static bool IsWriter(ReadOnlySpan<char> text)
    {
        if (text.Length != WriterLength) return false;
        foreach (var c in text)
            if (!char.IsAsciiHexDigitLower(c)) return false;
        return true;
    }

    /// <summary>Whose segment an object is, and which; false if it is none.</summary>
    internal static bool TryParse(string name, out string writer, out long sequence)
    {
        (writer, sequence) = ("", 0);
        if (!name.StartsWith(Segments, StringComparison.Ordinal) || name.Length != Segments.Length + WriterLength + 1 + SequenceLength)
            return false;
        var rest = name.AsSpan(Segments.Length);
        if (!IsWriter(rest[..WriterLength]) || rest[WriterLength] != '/') return false;
        if (!long.TryParse(rest[(WriterLength + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out sequence) || sequence == 0) return false;
        writer = rest[..WriterLength].ToString();
        return true;
    }
}
