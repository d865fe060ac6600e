using FunctionsBackup.Repository.Runs;

namespace FunctionsBackup.Repository.Collection;

/// <summary>
/// <see cref="CollectionFence"/> for a run whose units and commit may be in different processes: judges from the run's token, by the
/// store's clock alone.
/// </summary>
/// <remarks>
/// A unit relies only on packs that no mark condemned when it joined, which was after the token; so a mark that can take such a pack is one
/// that the token does not name. As long as each of those is younger than its grace time, nothing of it has been removed, and the record
/// that is created now keeps what it needs. What contents took over from a parent unseen may lie in packs that marks of the token condemn:
/// those the parent keeps, so it must still be there.
/// </remarks>
internal static class RunFence
{
    public static async ValueTask<RunToken> BeginAsync(
        CollectionMarks marks, string runId, DateTimeOffset startedAt, CancellationToken cancellationToken)
    {
        // The clock before the marks: a mark made in between counts as made after.
        var beganAt = await marks.StoreTimeAsync(cancellationToken).ConfigureAwait(false);
        var known = await marks.ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        return new RunToken
        {
            RunId = runId,
            StartedAt = startedAt,
            BeganAt = beganAt,
            KnownMarks = [.. known.Select(m => m.Name)],
            CollectionWaited = known.Any(m => m.Mark.Packs.Count > 0) || marks.IsBlind,
        };
    }

    /// <exception cref="RepositoryException">The backup must be run again.</exception>
    public static async ValueTask CheckAsync(
        CollectionMarks marks, RunToken token, Func<CancellationToken, ValueTask<bool>> parentIsThere, CancellationToken cancellationToken)
    {
        var now = await marks.StoreTimeAsync(cancellationToken).ConfigureAwait(false);
        var elapsed = now - token.BeganAt;
        if (elapsed >= CollectionMarks.KeepSwept) throw CollectionFence.TooLong(elapsed, CollectionMarks.KeepSwept);
        if (token.CollectionWaited && !await parentIsThere(cancellationToken).ConfigureAwait(false)) throw CollectionFence.ParentGone();
        var known = token.KnownMarks.ToHashSet();
        await foreach (var mark in marks.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (known.Contains(mark.Name)) continue;
            var grace = TimeSpan.FromSeconds(mark.Mark.GraceSeconds);
            if (mark.Sweep is not null || now - mark.MadeAt >= grace - CollectionFence.Margin(grace))
                throw CollectionFence.TooLong(elapsed, grace);
        }
    }
}
