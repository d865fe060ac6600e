using System.Globalization;
using System.Text;

namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>Gathers the bad pages of one file and says them in one sentence. Memory is bounded however many pages are bad.</summary>
/// <param name="path">The file's path in the catalog.</param>
public sealed class PageReport(string path)
{
    /// <summary>Ranges that are kept; further ones are only counted.</summary>
    public const int MaximumRanges = 16;

    /// <summary>Bad pages that are kept one by one.</summary>
    public const int MaximumDefects = 64;

    private readonly List<(uint First, uint Last)> _ranges = [];
    private readonly List<PageDefect> _defects = [];
    private PageDefect? _first;

    public string Path { get; } = path;

    /// <summary>Bad pages in all.</summary>
    public long Count { get; private set; }

    /// <summary>The first one found.</summary>
    public PageDefect? First => _first;

    /// <summary>The first bad pages, one by one.</summary>
    public IReadOnlyList<PageDefect> Defects => _defects;

    /// <summary>The ranges kept, as first and last block.</summary>
    public IReadOnlyList<(uint First, uint Last)> Ranges => _ranges;

    private const string Beginning = "Relation file ";

    /// <summary>How the sentence on a file begins.</summary>
    public static string Prefix(string path) => $"{Beginning}{path} has ";

    /// <summary>Whether a warning of a snapshot tells of bad pages.</summary>
    public static bool IsOne(string warning) => warning.StartsWith(Beginning, StringComparison.Ordinal);

    /// <summary>Adds a bad page; pages come in rising order of their block.</summary>
    public void Add(PageDefect defect)
    {
        _first ??= defect;
        if (_defects.Count < MaximumDefects) _defects.Add(defect);
        Count++;
        if (_ranges.Count > 0 && _ranges[^1].Last + 1 == defect.Block) _ranges[^1] = (_ranges[^1].First, defect.Block);
        else if (_ranges.Count < MaximumRanges) _ranges.Add((defect.Block, defect.Block));
    }

    /// <summary>One sentence: file, blocks, and what was expected and found in the first of them. Null if no page is bad.</summary>
    public string? ToWarning()
    {
        if (_first is not { } first) return null;
        var text = new StringBuilder();
        text.Append(Prefix(Path)).Append(CultureInfo.InvariantCulture, $"{(Count == 1 ? "a bad page" : $"{Count} bad pages")}: block ");
        var listed = 0L;
        for (var i = 0; i < _ranges.Count; i++)
        {
            var (from, to) = _ranges[i];
            listed += (long)to - from + 1;
            if (i > 0) text.Append(", ");
            text.Append(CultureInfo.InvariantCulture, $"{from}");
            if (to > from) text.Append(CultureInfo.InvariantCulture, $"–{to}");
        }

        if (listed < Count) text.Append(CultureInfo.InvariantCulture, $" and {Count - listed} more");
        text.Append(first.Fault switch
        {
            PageFault.Checksum => string.Create(
                CultureInfo.InvariantCulture,
                $" (checksum of block {first.Block}: the page says {first.Stored:X4}, its bytes give {first.Computed:X4})"),
            PageFault.Header => string.Create(CultureInfo.InvariantCulture, $" (the header of block {first.Block} is not one of a data page)"),
            PageFault.NotZero => string.Create(CultureInfo.InvariantCulture, $" (block {first.Block} has an empty header but is not empty)"),
            _ => string.Create(CultureInfo.InvariantCulture, $" (the file ends within block {first.Block})"),
        });
        return text.Append("; it was stored as it is.").ToString();
    }
}
