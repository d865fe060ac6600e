using System.Runtime.CompilerServices;
using System.Text;
using FunctionsBackup.Components.Configuration;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Catalogs;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>Restores of configuration into the cluster that the configuration names: the target <c>kubernetes</c>.</summary>
public static class KubernetesRestores
{
    public const string Target = "kubernetes";

    /// <summary>Applies, or only asks whether it could be.</summary>
    public static async ValueTask<KubernetesRestoreReport> RunAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, RestoreRequest request, CancellationToken cancellationToken)
    {
        using var sources = ConfigurationSources.Open(site);
        return await sources.Restorer(site).RunAsync(repository, snapshot, request.Include, request.Overwrite, request.PlanOnly, cancellationToken);
    }

    /// <summary>What would become different in the cluster; what only the cluster has stays, and is not shown.</summary>
    public static async ValueTask<ConfigurationChanges> CompareAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken)
    {
        using var sources = ConfigurationSources.Open(site);
        var kept = new HashSet<string>();
        await foreach (var item in OfCluster(repository, snapshot, cancellationToken)) kept.Add(Encoding.UTF8.GetString(item.Path));
        var present = new List<DiffItem>();
        await foreach (var document in sources.Cluster.ReadAsync(cancellationToken))
        {
            var path = Target + "/" + document.Path;
            if (kept.Contains(path)) present.Add(new DiffItem(Encoding.UTF8.GetBytes(path), document.Content.Length, null, _ => new(document.Content.ToArray())));
        }

        present.Sort((left, right) => CatalogOrder.Compare(left.Path, right.Path));
        return await ConfigurationDiff.CompareAsync(present.ToAsyncEnumerable(), OfCluster(repository, snapshot, cancellationToken), null, cancellationToken);
    }

    private static async IAsyncEnumerable<DiffItem> OfCluster(
        BackupRepository repository, Snapshot snapshot, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var item in DiffSides.OfSnapshot(repository, snapshot, cancellationToken))
            if (item.Path.AsSpan().StartsWith("kubernetes/"u8)) yield return item;
    }
}
