namespace FunctionsBackup.Components.PostgreSql.Pages;

/// <summary>
/// Decides whether pages of relation files are whole. Pages with an LSN at or after the start of the backup are exempt: they may have been
/// caught while being written, and replay of the WAL that the backup needs anyway replaces them.
/// </summary>
/// <param name="PageSize">Bytes per page.</param>
/// <param name="Checksums">Whether the cluster keeps page checksums; without them only the header is looked at.</param>
/// <param name="StartLsn">Start of the backup.</param>
public sealed record PageChecker(int PageSize, bool Checksums, Lsn StartLsn)
{
    /// <summary>
    /// No server writes so much WAL, 1 TiB, while one backup runs: a page whose LSN is beyond is not new but overwritten with something else.
    /// </summary>
    private const ulong MaximumAdvance = 1UL << 40;

    /// <summary>Null if the page is good, exempt, or new (never written, all zeros).</summary>
    /// <param name="page">One page.</param>
    /// <param name="block">Its number within the relation.</param>
    public PageDefect? Check(ReadOnlySpan<byte> page, uint block)
    {
        var header = PageHeader.Read(page);
        if (header.IsNew)
            return page.ContainsAnyExcept((byte)0) ? new PageDefect(block, PageFault.NotZero, PageChecksum.Stored(page), 0) : null;
        if (header.Lsn >= StartLsn && header.Lsn.Value - StartLsn.Value < MaximumAdvance) return null;
        if (Checksums)
        {
            var stored = PageChecksum.Stored(page);
            var computed = PageChecksum.Compute(page, block);
            if (stored != computed) return new PageDefect(block, PageFault.Checksum, stored, computed);
        }

        return header.IsSane(PageSize) ? null : new PageDefect(block, PageFault.Header, PageChecksum.Stored(page), 0);
    }
}
