namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>
/// Tells from pages alone that nothing has changed them since an earlier backup began: each carries the LSN of its last change, and that
/// LSN is older. When this may be asked at all is <see cref="Backup.TrustedLsns"/>' to say (docs/decisions/page-lsns.md).
/// </summary>
/// <param name="PageSize">Bytes per page.</param>
/// <param name="Oldest">
/// The lowest LSN that WAL can have given: the end of segment 0, which no server uses. What is below is none, or a stand-in, such as the 1
/// of a GiST index being built or the counter of unlogged relations.
/// </param>
/// <param name="Before">Start of the earlier backup: its checkpoint wrote every page with a lower LSN, before the backup looked.</param>
public sealed record PageLsnRule(int PageSize, Lsn Oldest, Lsn Before)
{
    /// <summary>Whether all of these pages are certainly old. New pages, which have no LSN, and pages with a strange header never are.</summary>
    /// <param name="pages">Whole pages; anything else is not old.</param>
    public bool AreOld(ReadOnlySpan<byte> pages)
    {
        if (pages.IsEmpty || pages.Length % PageSize != 0) return false;
        for (; !pages.IsEmpty; pages = pages[PageSize..])
        {
            var header = PageHeader.Read(pages);
            if (header.IsNew || header.Lsn < Oldest || header.Lsn >= Before || !header.IsSane(PageSize)) return false;
        }

        return true;
    }
}
