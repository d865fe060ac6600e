using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Operations.Configuration;
using FunctionsBackup.Orchestrations.Site;
using FunctionsBackup.Repository;
using FunctionsBackup.Repository.Anomalies;
using FunctionsBackup.Repository.Snapshots;
using FunctionsBackup.Storage;

namespace FunctionsBackup.Orchestrations.Anomalies;

/// <summary>What the check of a new recovery point came to.</summary>
/// <param name="Reasons">Why it is suspicious, one sentence each; empty: it is not.</param>
/// <param name="Problem">Why it could not be checked; null: it was, or is not to be.</param>
public sealed record SuspicionResult(IReadOnlyList<string> Reasons, string? Problem)
{
    public static SuspicionResult None { get; } = new([], null);
}

/// <summary>Checks a recovery point after its commit, as the configuration says. Never fails: the backup is done.</summary>
public static class SuspicionCheck
{
    public static async ValueTask<SuspicionResult> RunAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var settings = site.Configuration.Anomalies;
        if (!settings.Enabled || settings.Ignore.Contains(snapshot.Component)) return SuspicionResult.None;
        try
        {
            if (await AnomalyCheck.RunAsync(repository, snapshot, Thresholds(settings), cancellationToken) is not { } found)
                return SuspicionResult.None;
            site.Options.Warn(Sentence(snapshot.Id, found.Anomalies.Select(a => a.Sentence)));
            site.Options.OnSuspicious(found);
            await site.Audit.RecordAsync(new AuditEntry
            {
                Action = AuditActions.AnomalyFound,
                Outcome = AuditOutcome.Warnings,
                Actor = AuditActor.OfRequest(null),
                Target = snapshot.Id,
                Items = [.. found.Anomalies.Select(a => new AuditItem(snapshot.Component, "suspicious", a.Sentence))],
            });
            return new SuspicionResult([.. found.Anomalies.Select(a => a.Sentence)], null);
        }
        catch (Exception e) when (e is StoreException or RepositoryException)
        {
            return new SuspicionResult([], $"{snapshot.Id} could not be compared with the backups before it: {e.Message}");
        }
    }

    /// <summary>What to say of a suspicious recovery point, with what to do.</summary>
    public static string Sentence(string id, IEnumerable<string> reasons) =>
        $"{id} is suspicious: {string.Join(" ", reasons)} Nothing of its component is pruned until somebody decides with "
        + $"'fbackup backup accept {id}' or 'fbackup backup reject {id}'.";

    private static AnomalyThresholds Thresholds(AnomalySettings settings) => new()
    {
        MinimumHistory = settings.MinimumHistory,
        Deviations = settings.Deviations,
        MinimumBytes = (long)settings.MinimumSize << 20,
        MinimumFiles = settings.MinimumFiles,
        ChangedShare = settings.ChangedPercent / 100.0,
        NewShare = settings.NewPercent / 100.0,
        StoredShare = settings.StoredPercent / 100.0,
        DeletedShare = settings.DeletedPercent / 100.0,
        ShrunkShare = settings.ShrunkPercent / 100.0,
    };
}
