namespace FunctionsBackup.Repository.Collection;

/// <summary>
/// Keeps a backup that ran too long from committing. Chunks that it found in the repository may lie in packs that were marked after it
/// began; they stay for the mark's grace time. A backup that ends later than that cannot know that they are still there.
/// </summary>
internal sealed class CollectionFence
{
    private readonly CollectionMarks? _marks;
    private readonly TimeProvider _time;
    private readonly long _openedAt;
    private readonly DateTimeOffset _openedAtUtc;
    private readonly HashSet<string> _known;
    private readonly bool _collectionWaited;

    private CollectionFence(CollectionMarks? marks, TimeProvider time, long openedAt, DateTimeOffset openedAtUtc, IReadOnlyList<StoredMark> known)
    {
        _marks = marks;
        _time = time;
        _openedAt = openedAt;
        _openedAtUtc = openedAtUtc;
        _known = [.. known.Select(m => m.Name)];
        // Also by one that was carried out: the parent may have gone with it before the repository was opened.
        _collectionWaited = known.Any(m => m.Mark.Packs.Count > 0) || marks?.IsBlind == true;
        CondemnedPacks = [.. known.SelectMany(m => m.Condemned).Distinct()];
    }

    public static CollectionFence None { get; } = new(null, TimeProvider.System, 0, default, []);

    /// <summary>Packs that were marked when the repository was opened.</summary>
    public IReadOnlyList<string> CondemnedPacks { get; }

    public static async ValueTask<CollectionFence> OpenAsync(CollectionMarks marks, TimeProvider time, CancellationToken cancellationToken)
    {
        // The clocks start before the marks are read: a mark made in between counts as made after.
        var openedAt = time.GetTimestamp();
        var openedAtUtc = time.GetUtcNow();
        var known = await marks.ListAsync(cancellationToken).ToListAsync(cancellationToken).ConfigureAwait(false);
        return new CollectionFence(marks, time, openedAt, openedAtUtc, known);
    }

    /// <param name="parentIsThere">
    /// Whether the recovery point that chunks were taken over from still exists. Those chunks were not looked up, so they may lie in packs
    /// that were marked before the backup began; the parent alone keeps them.
    /// </param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="RepositoryException">The backup must be run again.</exception>
    public async ValueTask CheckAsync(Func<CancellationToken, ValueTask<bool>> parentIsThere, CancellationToken cancellationToken)
    {
        if (_marks is null) return;
        var elapsed = Elapsed();
        if (elapsed >= CollectionMarks.KeepSwept) throw TooLong(elapsed, CollectionMarks.KeepSwept);
        if (_collectionWaited && !await parentIsThere(cancellationToken).ConfigureAwait(false)) throw ParentGone();
        DateTimeOffset? now = null;
        await foreach (var mark in _marks.ListAsync(cancellationToken).ConfigureAwait(false))
        {
            if (_known.Contains(mark.Name)) continue;
            var grace = TimeSpan.FromSeconds(mark.Mark.GraceSeconds);
            if (mark.Sweep is not null) throw TooLong(elapsed, grace);
            if (elapsed < grace - Margin(grace)) continue;

            // Only now the store's clock is worth its price: the mark may be much younger than the backup.
            now ??= await _marks.StoreTimeAsync(cancellationToken).ConfigureAwait(false);
            if (now - mark.MadeAt >= grace - Margin(grace)) throw TooLong(elapsed, grace);
        }
    }

    /// <summary>
    /// After the record was created: whether the parent was there long enough. It may have been removed between the look before and the
    /// record, and a collection that looked in that moment saw neither.
    /// </summary>
    public async ValueTask<bool> HeldAsync(Func<CancellationToken, ValueTask<bool>> parentIsThere, CancellationToken cancellationToken) =>
        !_collectionWaited || await parentIsThere(cancellationToken).ConfigureAwait(false);

    /// <summary>Also on a machine that was asleep (where only the wall clock goes on) or whose wall clock was set back.</summary>
    private TimeSpan Elapsed()
    {
        var ticked = _time.GetElapsedTime(_openedAt);
        var wall = _time.GetUtcNow() - _openedAtUtc;
        return wall > ticked ? wall : ticked;
    }

    /// <summary>How long before the end of its grace time a mark counts as carried out: the commit itself takes time.</summary>
    internal static TimeSpan Margin(TimeSpan grace) => grace / 4 < TimeSpan.FromHours(1) ? grace / 4 : TimeSpan.FromHours(1);

    internal static RepositoryException ParentGone() => new(
        "The recovery point that this backup builds on was removed while it ran and a garbage collection was under way, so nothing was "
        + "committed; run it again.");

    internal static RepositoryException TooLong(TimeSpan elapsed, TimeSpan grace) => new(
        $"The backup took {elapsed:d\\.hh\\:mm\\:ss}, and a garbage collection that began meanwhile has used up its grace time "
        + $"{grace:d\\.hh\\:mm\\:ss}, so nothing was committed; run it again (what it stored is reused) and prune with longer --grace-hours.");
}
