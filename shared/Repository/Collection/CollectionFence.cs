namespace FunctionsBackup.Repository.Collection;

/// <summary>
/// Keeps a backup that ran too long from committing. Chunks that it found in the repository may lie in packs that were marked after it
/// began; they stay for the mark's grace time. A backup that took longer than that cannot know that they are still there.
/// </summary>
internal sealed class CollectionFence
{
    private readonly CollectionMarks? _marks;
    private readonly TimeProvider _time;
    private readonly long _openedAt;
    private readonly HashSet<string> _known;

    private CollectionFence(CollectionMarks? marks, TimeProvider time, long openedAt, IReadOnlyList<StoredMark> known)
    {
        _marks = marks;
        _time = time;
        _openedAt = openedAt;
        _known = [.. known.Select(m => m.Name)];
        CondemnedPacks = [.. known.SelectMany(m => m.Condemned).Distinct()];
    }

    public static CollectionFence None { get; } = new(null, TimeProvider.System, 0, []);

    /// <summary>Packs that were marked when the repository was opened.</summary>
    public IReadOnlyList<string> CondemnedPacks { get; }

    public static async ValueTask<CollectionFence> OpenAsync(CollectionMarks marks, TimeProvider time, CancellationToken cancellationToken)
    {
        // The clock starts before the marks are read: a mark made in between counts as made after.
        var openedAt = time.GetTimestamp();
        var known = await marks.ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        return new CollectionFence(marks, time, openedAt, known);
    }

    /// <exception cref="RepositoryException">The backup must be run again.</exception>
    public async ValueTask CheckAsync(CancellationToken cancellationToken)
    {
        if (_marks is null) return;
        var elapsed = _time.GetElapsedTime(_openedAt);
        await foreach (var mark in _marks.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_known.Contains(mark.Name)) continue;
            var grace = TimeSpan.FromSeconds(mark.Mark.GraceSeconds);
            var margin = grace / 4 < TimeSpan.FromHours(1) ? grace / 4 : TimeSpan.FromHours(1);
            if (elapsed >= grace - margin)
                throw new RepositoryException(
                    $"The backup took {elapsed:d\\.hh\\:mm\\:ss}, longer than the grace time {grace:d\\.hh\\:mm\\:ss} of a garbage collection that began "
                    + "meanwhile, so nothing was committed; run it again (what it stored is reused) and prune with a longer --grace.");
        }
    }
}
