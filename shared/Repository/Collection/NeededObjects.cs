using FunctionsBackup.Repository.Locks;

namespace FunctionsBackup.Repository.Collection;

/// <summary>The objects whose locks are to be renewed: all that recovery points need which some rule keeps.</summary>
internal sealed class NeededObjects(BackupRepository repository, CollectionOptions options)
{
    private const string Snapshots = "snapshots/", Witnesses = "witness/snapshots/";

    /// <param name="live">What all recovery points need.</param>
    /// <param name="packs">Packs in the store.</param>
    /// <param name="garbage">Those that have just been marked: copied, or needed by nobody.</param>
    /// <param name="locks">Where nothing is to be locked, nothing is looked for.</param>
    /// <param name="cancellationToken">Stops.</param>
    public async ValueTask<IReadOnlyList<string>> FindAsync(
        LiveBlocks live, IEnumerable<string> packs, IReadOnlySet<string> garbage, RetentionLocks locks, CancellationToken cancellationToken)
    {
        if (locks.Wanted is null) return [];
        // What is there only because its own record is locked must not keep its packs locked for ever.
        if (options.Expired.Count > 0)
            live = await LiveBlocks.FindAsync(repository, options.Expired, cancellationToken).ConfigureAwait(false);
        var needed = packs.Where(p => live.Needs(p) && !garbage.Contains(p)).ToList();
        foreach (var prefix in new[] { "keys/", Snapshots, Witnesses, "points/", "wal/", "anomalies/" })
            await foreach (var info in repository.Store.ListAsync(prefix, cancellationToken).ConfigureAwait(false))
                if (IsNeeded(info.Name)) needed.Add(info.Name);
        needed.Add("config");
        return needed;
    }

    private bool IsNeeded(string name)
    {
        if (!LockedObjects.Covers(name) || options.Unneeded.Contains(name)) return false;
        if (name.StartsWith(Snapshots, StringComparison.Ordinal)) return !options.Expired.Contains(name[Snapshots.Length..]);
        return !name.StartsWith(Witnesses, StringComparison.Ordinal) || !options.Expired.Contains(name[Witnesses.Length..]);
    }
}
