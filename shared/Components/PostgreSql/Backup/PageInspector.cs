using FunctionsBackup.Components.PostgreSql.Pages;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Checks the pages of one relation file as its bytes pass by.</summary>
/// <param name="checker">What makes a page good.</param>
/// <param name="firstBlock">Number of the file's first page within the relation.</param>
/// <param name="path">The file's path in the catalog.</param>
internal sealed class PageInspector(PageChecker checker, uint firstBlock, string path)
{
    /// <summary>Reads a page again, into the place where it was; false if it is no longer there.</summary>
    public delegate bool ReadAgain(Span<byte> page, long offset);

    public PageReport Report { get; } = new(path);

    public int PageSize => checker.PageSize;

    /// <summary>Checks whole pages.</summary>
    /// <param name="pages">A multiple of the page size.</param>
    /// <param name="offset">Where they are in the file, bytes.</param>
    /// <param name="again">
    /// A bad page may be one that the server was just writing, whose new LSN lies in the half that was not yet there: reading it once more
    /// settles that. Null where the source cannot be read again.
    /// </param>
    public void Inspect(Span<byte> pages, long offset, ReadAgain? again)
    {
        for (var at = 0; at + PageSize <= pages.Length; at += PageSize)
        {
            var page = pages.Slice(at, PageSize);
            var block = firstBlock + (uint)((offset + at) / PageSize);
            if (checker.Check(page, block) is not { } defect) continue;
            if (again is not null && again(page, offset + at) && checker.Check(page, block) is not { } second) continue;
            Report.Add(defect);
        }
    }
}
