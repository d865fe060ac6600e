namespace FunctionsBackup.Repository.Locks;

/// <summary>Which objects of a repository are to be locked (FORMAT.md §8).</summary>
public static class LockedObjects
{
    private static readonly string[] Prefixes = ["keys/", "packs/", "snapshots/", "witness/snapshots/", "points/", "wal/", "journals/", "anomalies/", "audit/"];

    /// <summary>
    /// All that a recovery point needs to be found and restored, and what was recorded of it (whose locks are not renewed). Not the index, which repair makes again from the packs, and not what must be
    /// free to go: parts of runs and of WAL segments, marks, pins, probes, results.
    /// </summary>
    public static bool Covers(string name) => name == "config"
        || (Array.Exists(Prefixes, p => name.StartsWith(p, StringComparison.Ordinal)) && !name.Contains(".parts/", StringComparison.Ordinal));
}
