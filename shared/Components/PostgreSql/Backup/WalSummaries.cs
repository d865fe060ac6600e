namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>Learns from the server's WAL summaries (PostgreSQL 17, summarize_wal) which blocks changed between two backups.</summary>
internal static class WalSummaries
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    /// <summary>
    /// The blocks changed from <paramref name="from"/> to <paramref name="to"/>, or null if the summaries do not cover all of that, because
    /// they are switched off, were switched off meanwhile, or are gone.
    /// </summary>
    public static async ValueTask<ChangedBlocks?> ReadAsync(
        DirectSession session, uint timeline, Lsn from, Lsn to, int pagesPerChunk, TimeProvider time, CancellationToken cancellationToken)
    {
        if (session.Facts.ServerVersion < 170000 || !await IsOnAsync(session, cancellationToken)) return null;
        var begun = time.GetTimestamp();
        List<(Lsn Start, Lsn End)>? ranges;
        // The summarizer is told of every checkpoint, such as the one that began this backup, and needs a moment to come so far.
        while ((ranges = Cover(await ListAsync(session, timeline, cancellationToken), from, to)) is null)
        {
            if (time.GetElapsedTime(begun) > Patience || !await IsComingAsync(session, timeline, from, to, cancellationToken)) return null;
            await Task.Delay(TimeSpan.FromMilliseconds(20), time, cancellationToken);
        }

        const string Sql = """
            select reltablespace::int8, reldatabase::int8, relfilenode::int8, relforknumber::int4, relblocknumber::int8, is_limit_block
            from pg_wal_summary_contents($1, $2::text::pg_lsn, $3::text::pg_lsn)
            """;
        var changed = new ChangedBlocks(pagesPerChunk);
        foreach (var (start, end) in ranges)
        {
            await session.QueryAsync(
                Sql,
                [(long)timeline, start.ToString(), end.ToString()],
                row => changed.Add(
                    (uint)row.GetInt64(0), (uint)row.GetInt64(1), (uint)row.GetInt64(2), row.GetInt32(3), row.GetInt64(4), row.GetBoolean(5)),
                cancellationToken);
        }

        return changed;
    }

    /// <summary>The summaries, in order, that leave no gap between the two positions; null if there is one.</summary>
    internal static List<(Lsn Start, Lsn End)>? Cover(IReadOnlyList<(Lsn Start, Lsn End)> available, Lsn from, Lsn to)
    {
        var ranges = new List<(Lsn Start, Lsn End)>();
        var reached = from;
        foreach (var (start, end) in available.OrderBy(range => range.Start))
        {
            if (reached >= to) break;
            if (end <= reached) continue;
            if (start > reached) return null;
            ranges.Add((start, end));
            reached = end;
        }

        return reached >= to ? ranges : null;
    }

    private static async ValueTask<List<(Lsn Start, Lsn End)>> ListAsync(DirectSession session, uint timeline, CancellationToken cancellationToken)
    {
        var available = new List<(Lsn Start, Lsn End)>();
        await session.QueryAsync(
            "select start_lsn::text, end_lsn::text from pg_available_wal_summaries() where tli = $1",
            [(long)timeline],
            row => available.Add((Lsn.Parse(row.GetString(0)), Lsn.Parse(row.GetString(1)))),
            cancellationToken);
        return available;
    }

    private static async ValueTask<bool> IsOnAsync(DirectSession session, CancellationToken cancellationToken)
    {
        var on = false;
        await session.QueryAsync("select current_setting('summarize_wal') = 'on'", [], row => on = row.GetBoolean(0), cancellationToken);
        return on;
    }

    /// <summary>Whether waiting can help: the summaries begin early enough, and the summarizer has not passed the end already.</summary>
    private static async ValueTask<bool> IsComingAsync(
        DirectSession session, uint timeline, Lsn from, Lsn to, CancellationToken cancellationToken)
    {
        var available = await ListAsync(session, timeline, cancellationToken);
        if (available.Count == 0) return false;
        var reached = available.Max(range => range.End);
        return reached < to && Cover(available, from, reached > from ? reached : from) is not null;
    }
}
