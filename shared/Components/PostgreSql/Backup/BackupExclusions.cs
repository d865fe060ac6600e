using FunctionsBackup.Components.PostgreSql.Pages;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>
/// What a base backup leaves out: the same lists as the server's own (src/backend/backup/basebackup.c: excludeDirContents, excludeFiles,
/// sendDir).
/// </summary>
public static class BackupExclusions
{
    // Emptied or rebuilt at server start; the directories themselves are kept for their permissions.
    private static readonly HashSet<string> EmptyDirectories =
        ["pg_stat_tmp", "pg_replslot", "pg_dynshmem", "pg_notify", "pg_serial", "pg_snapshots", "pg_subtrans"];

    private static readonly HashSet<string> Files =
    [
        "postgresql.auto.conf.tmp", "current_logfiles.tmp", "backup_label", "tablespace_map", "backup_manifest", "postmaster.pid",
        "postmaster.opts",
    ];

    /// <summary>A directory that is stored empty, at any depth, as the server does.</summary>
    public static bool IsStoredEmpty(string name) => EmptyDirectories.Contains(name);

    /// <summary>A file or directory that is not stored at all. pg_internal.init is a cache; pgsql_tmp holds temporary files.</summary>
    public static bool IsExcluded(string name) =>
        Files.Contains(name)
        || name.StartsWith("pg_internal.init", StringComparison.Ordinal)
        || name.StartsWith("pgsql_tmp", StringComparison.Ordinal);

    /// <summary>
    /// Names of one database directory that are stored: not temporary relations, and of unlogged relations only the init fork, from which
    /// the server makes them anew.
    /// </summary>
    public static IEnumerable<string> Relations(IReadOnlyCollection<string> names)
    {
        var unlogged = new HashSet<uint>();
        foreach (var name in names)
            if (RelationFile.TryParseName(name, out var number, out var fork, out _) && fork == RelationFork.Init) unlogged.Add(number);
        foreach (var name in names)
        {
            if (RelationFile.IsTemporaryName(name)) continue;
            if (RelationFile.TryParseName(name, out var number, out var fork, out _) && fork != RelationFork.Init && unlogged.Contains(number)) continue;
            yield return name;
        }
    }
}
