using System.Text.Json.Nodes;
using FunctionsBackup.Components.Configuration.Diffs;
using FunctionsBackup.Orchestrations.Restore;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Snapshots;

namespace FunctionsBackup.Cli.Output;

/// <summary>How changes of the configuration are shown.</summary>
internal static class ConfigurationView
{
    public static JsonObject ToJson(ConfigurationChanges changes) => new()
    {
        ["against"] = changes.Against,
        ["changed"] = changes.Changed,
        ["added"] = changes.Added,
        ["removed"] = changes.Removed,
        ["diff"] = changes.Text,
    };

    public static void Write(ConfigurationChanges changes, TextWriter output)
    {
        output.Write(changes.Text);
        output.WriteLine($"configuration: {changes.Summary()}{(changes.Against is { } against ? $" since {against}" : "")}");
    }

    /// <summary>What a restore into a folder or the cluster would change there; null: the component has no diff, or the target is a bucket.</summary>
    public static async ValueTask<ConfigurationChanges?> AgainstTargetAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, string target, CancellationToken cancellationToken)
    {
        if (snapshot.Component == "configuration" && target == KubernetesRestores.Target)
            return await KubernetesRestores.CompareAsync(site, repository, snapshot, cancellationToken);
        if (snapshot.Component != "configuration" || !Path.IsPathFullyQualified(target)) return null;
        return await ConfigurationDiff.CompareAsync(
            DiffSides.OfFolder(repository, snapshot, target, cancellationToken), DiffSides.OfSnapshot(repository, snapshot, cancellationToken), null,
            cancellationToken);
    }
}
