using FunctionsBackup.Components.Files.Buckets;
using FunctionsBackup.Components.Posix;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.LiveKit.Reconciliation;

/// <summary>
/// Compares the egress catalogue with the newest recovery point of the recordings. An egress and a backup name the same file from different
/// folders or prefixes; so it is the same if the shorter path is the end of the longer, in whole components, and the size agrees. Memory grows with the
/// recordings of the catalogue, not with those of the backup.
/// </summary>
public static class RecordingsCheck
{
    /// <summary>Null: there is no recovery point of the recordings.</summary>
    /// <param name="repository">Holds it.</param>
    /// <param name="recordings">The catalogue.</param>
    /// <param name="component">Whose recovery points hold the recordings.</param>
    /// <param name="cancellationToken">Stops.</param>
    /// <exception cref="DamageException">The catalog of the recovery point is damaged.</exception>
    public static async ValueTask<RecordingsReport?> RunAsync(
        BackupRepository repository, IReadOnlyCollection<Recording> recordings, string component, CancellationToken cancellationToken)
    {
        Snapshot? newest = null;
        await foreach (var snapshot in repository.ListSnapshotsAsync(component, cancellationToken).ConfigureAwait(false)) newest = snapshot;
        if (newest is null) return null;
        var wanted = Wanted(recordings);
        if (wanted.Count > 0)
        {
            await foreach (var entry in repository.ReadCatalogAsync(newest, cancellationToken).ConfigureAwait(false))
                if (entry.Kind == EntryKind.File && PathOf(entry) is { } path && wanted.TryGetValue(path[^1], out var candidates))
                    foreach (var candidate in candidates) candidate.Meet(path, entry.Content?.Size ?? 0);
        }

        var findings = wanted.Values.SelectMany(w => w).Distinct().Where(s => !s.IsHeld).Select(s => Finding(s, newest))
            .OrderBy(f => f.Recording.FileName, StringComparer.Ordinal).ThenBy(f => f.Recording.EgressId, StringComparer.Ordinal).ToList();
        return new RecordingsReport(newest.Id, recordings.Count, findings);
    }

    private static RecordingFinding Finding(Search search, Snapshot snapshot) => search switch
    {
        _ when search.Recording.EndedAt > snapshot.StartedAt => new RecordingFinding(search.Recording, RecordingStanding.Pending),
        { OtherSize: { } size } => new RecordingFinding(search.Recording, RecordingStanding.Different, size),
        _ => new RecordingFinding(search.Recording, RecordingStanding.Missing),
    };

    /// <summary>By the last component of their names.</summary>
    private static Dictionary<string, List<Search>> Wanted(IReadOnlyCollection<Recording> recordings)
    {
        var wanted = new Dictionary<string, List<Search>>(StringComparer.Ordinal);
        foreach (var recording in recordings)
        {
            string[][] names = [Split(recording.FileName), Split(PathOf(recording.Location))];
            var search = new Search(recording, [.. names.Where(n => n.Length > 0)]);
            foreach (var last in search.Names.Select(n => n[^1]).DefaultIfEmpty("").Distinct())
            {
                if (!wanted.TryGetValue(last, out var list)) wanted[last] = list = [];
                list.Add(search);
            }
        }

        return wanted;
    }

    /// <summary>Below the folder or bucket that is protected, whose name is the configuration's.</summary>
    private static string[]? PathOf(CatalogEntry entry)
    {
        if (entry.Extra.Length > 0 && BucketFacts.Of(entry)?.Key is { } key) return Split(key) is { Length: > 0 } parts ? parts : null;
        return ByteName.TryGetText(entry.Path.Span, out var text) && Split(text) is { Length: > 0 } path ? path.Length > 1 ? path[1..] : path : null;
    }

    private static string PathOf(string location) =>
        Uri.TryCreate(location, UriKind.Absolute, out var uri) && uri.Scheme != Uri.UriSchemeFile ? Uri.UnescapeDataString(uri.AbsolutePath) : location;

    private static string[] Split(string path) => path.Split('/', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>A recording, and what was met of it.</summary>
    private sealed class Search(Recording recording, IReadOnlyList<string[]> names)
    {
        public Recording Recording { get; } = recording;

        public IReadOnlyList<string[]> Names { get; } = names;

        public bool IsHeld { get; private set; }

        public long? OtherSize { get; private set; }

        public void Meet(string[] path, long size)
        {
            if (IsHeld || !Names.Any(n => IsEnd(n, path))) return;
            if (Recording.Size is null || Recording.Size == size) IsHeld = true;
            else OtherSize = size;
        }

        private static bool IsEnd(string[] a, string[] b)
        {
            var common = Math.Min(a.Length, b.Length);
            return a.AsSpan(a.Length - common).SequenceEqual(b.AsSpan(b.Length - common));
        }
    }
}
