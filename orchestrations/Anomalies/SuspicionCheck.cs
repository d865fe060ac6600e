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
    /// <summary>Of hosts that only write: retention runs daily, and longer ago is settled.</summary>
    private static readonly TimeSpan LateFor = TimeSpan.FromDays(7);

    public static async ValueTask<SuspicionResult> RunAsync(
        BackupSite site, BackupRepository repository, Snapshot snapshot, CancellationToken cancellationToken)
    {
        var settings = site.Configuration.Anomalies;
        // Who only writes cannot compare; who prunes does it before anything goes.
        if (!settings.Enabled || IsIgnored(settings, snapshot.Component) || repository.IsWriteOnly) return SuspicionResult.None;
        try
        {
            if (await AnomalyCheck.RunAsync(repository, snapshot, Thresholds(settings), cancellationToken) is not { } found)
                return SuspicionResult.None;
            await TellAsync(site, snapshot.Component, found);
            return new SuspicionResult([.. found.Anomalies.Select(a => a.Sentence)], null);
        }
        catch (Exception e) when (e is StoreException or RepositoryException)
        {
            return new SuspicionResult([], $"{snapshot.Id} could not be compared with the backups before it: {e.Message}");
        }
    }

    /// <summary>Checks what hosts that only write have added lately, which could not do it themselves.</summary>
    /// <exception cref="RepositoryException">A recovery point cannot be read: then it is not known what may go.</exception>
    public static async ValueTask RunLateAsync(BackupSite site, BackupRepository repository, CancellationToken cancellationToken)
    {
        var settings = site.Configuration.Anomalies;
        if (!settings.Enabled) return;
        var since = site.Time.GetUtcNow() - LateFor;
        var snapshots = new List<Snapshot>();
        await foreach (var snapshot in repository.ListSnapshotsAsync(null, cancellationToken))
            if (snapshot.Writer is not null && snapshot.StartedAt > since && !IsIgnored(settings, snapshot.Component)) snapshots.Add(snapshot);
        foreach (var snapshot in snapshots)
        {
            var known = await new AnomalyStore(repository.Store, repository.Sealed).ListAsync(snapshot.Component, cancellationToken);
            if (known.Of(snapshot.Id) is not null) continue;
            if (await AnomalyCheck.RunAsync(repository, snapshot, Thresholds(settings), cancellationToken) is { } found)
                await TellAsync(site, snapshot.Component, found);
        }
    }

    /// <summary>Rooms, participants and egress come and go by themselves: that many of them have gone means nothing.</summary>
    private static bool IsIgnored(AnomalySettings settings, string component) => component is "livekit" or "redis" || settings.Ignore.Contains(component);

    private static async ValueTask TellAsync(BackupSite site, string component, AnomalyRecord found)
    {
        site.Options.Warn(Sentence(found.SnapshotId, found.Anomalies.Select(a => a.Sentence)));
        site.Options.OnSuspicious(found);
        await site.Audit.RecordAsync(new AuditEntry
        {
            Action = AuditActions.AnomalyFound,
            Outcome = AuditOutcome.Warnings,
            Actor = AuditActor.OfRequest(null),
            Target = found.SnapshotId,
            Items = [.. found.Anomalies.Select(a => new AuditItem(component, "suspicious", a.Sentence))],
        });
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
