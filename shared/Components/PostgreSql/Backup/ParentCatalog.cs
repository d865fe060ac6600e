using System.Text;
using System.Text.Json;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Components.PostgreSql.Backup;

/// <summary>The earlier backup that an incremental one is taken against.</summary>
/// <param name="Snapshot">Its record.</param>
/// <param name="Details">Its facts.</param>
/// <param name="Files">Its files, by path.</param>
internal sealed record ParentCatalog(Snapshot Snapshot, PostgresBackupDetails Details, IReadOnlyDictionary<string, CatalogEntry> Files)
{
    /// <summary>The newest backup of the same cluster, or null.</summary>
    public static async ValueTask<ParentCatalog?> FindAsync(
        BackupRepository repository, string component, ClusterFacts facts, CancellationToken cancellationToken)
    {
        var newest = await repository.FindParentAsync(component, snapshot => IsOfCluster(ReadDetails(snapshot), facts), cancellationToken);
        if (newest is null) return null;
        var files = new Dictionary<string, CatalogEntry>(StringComparer.Ordinal);
        await foreach (var entry in repository.ReadCatalogAsync(newest, cancellationToken))
            if (entry is { Kind: EntryKind.File, Content: not null }) files[Encoding.UTF8.GetString(entry.Path.Span)] = entry;
        return new ParentCatalog(newest, ReadDetails(newest)!, files);
    }

    /// <summary>
    /// Whether what the server tells of changes is about the history since this backup. Not after a restore or a failover, which begin a new
    /// timeline; not if the server is behind where it was, since its files were then put back by other means; and not if page checksums
    /// were switched on or off in between, which rewrites pages without a word in the WAL.
    /// </summary>
    public bool IsContinuedBy(ClusterFacts facts, uint timeline, Lsn position) =>
        Details.Timeline == timeline && Lsn.Parse(Details.StopLsn) <= position && Details.DataChecksums == facts.DataChecksums;

    public CatalogEntry? Find(string path) => Files.GetValueOrDefault(path);

    private static bool IsOfCluster(PostgresBackupDetails? details, ClusterFacts facts) =>
        details is not null && details.SystemIdentifier == facts.SystemIdentifier && details.BlockSize == facts.BlockSize
        && details.ServerVersion / 10000 == facts.ServerVersion / 10000;

    private static PostgresBackupDetails? ReadDetails(Snapshot snapshot)
    {
        try
        {
            return PostgresBackupDetails.FromJson(snapshot.Details);
        }
        catch (JsonException)
        {
            // Another kind of backup under the same name: not one to build on.
            return null;
        }
    }
}
