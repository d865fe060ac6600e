using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.Files.Restore;

/// <summary>Refuses a restore that cannot fit, before anything is written.</summary>
internal static class SpaceCheck
{
    private const long PerEntry = 4096;

    /// <exception cref="RestoreRefusedException">It does not fit.</exception>
    internal static async ValueTask RunAsync(
        BackupRepository repository, Snapshot snapshot, RestoreSelection selection, IReadOnlyList<RestoreTarget> targets,
        CancellationToken cancellationToken)
    {
        var spaces = targets.Select(target => target.FreeSpace()).ToArray();
        var most = snapshot.Statistics.LogicalBytes + (snapshot.Statistics.Entries * PerEntry);
        if (most <= spaces.Min(space => space.Free)) return;

        // It might not fit, so it is worth a pass over the catalog to know what is really asked for.
        var needed = new long[targets.Count];
        await foreach (var entry in repository.ReadCatalogAsync(snapshot, cancellationToken).ConfigureAwait(false))
        {
            if (!selection.TryFind(entry.Path, out var root, out var relative)) continue;
            if (!selection.IsIncluded(relative.Span, entry.Kind == EntryKind.Directory)) continue;
            needed[root] += entry.HardLinkTo.IsEmpty ? SpaceOf(entry) : 0;
        }

        Refuse([.. targets.Select(target => target.FullPath)], needed, spaces);
    }

    /// <summary>Targets on the same file system share its room.</summary>
    /// <exception cref="RestoreRefusedException">One of the file systems has not enough.</exception>
    internal static void Refuse(
        IReadOnlyList<string> paths, IReadOnlyList<long> needed, IReadOnlyList<(ulong Device, long Free)> spaces)
    {
        foreach (var group in Enumerable.Range(0, paths.Count).GroupBy(i => spaces[i].Device))
        {
            var (need, free) = (group.Sum(i => needed[i]), group.Min(i => spaces[i].Free));
            if (need > free)
            {
                throw new RestoreRefusedException(
                    $"{paths[group.First()]} has {free >> 20} MiB free but {need >> 20} MiB are needed; "
                    + "make room or choose another target.");
            }
        }
    }

    // Holes take no space; where a content keeps its items elsewhere they are not looked up for this.
    private static long SpaceOf(CatalogEntry entry)
    {
        if (entry.Content is not { } content) return 0;
        if (content.Depth > 0) return content.Size;
        return content.Items.Sum(item => item.IsHole ? 0 : (item.Length + PerEntry - 1) / PerEntry * PerEntry);
    }
}
