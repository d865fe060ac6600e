using FunctionsBackup.Operations.Metrics;
using FunctionsBackup.Orchestrations.Backup;
using FunctionsBackup.Orchestrations.Instances;
using FunctionsBackup.Orchestrations.RestoreTesting;
using FunctionsBackup.Orchestrations.Retention;
using FunctionsBackup.Orchestrations.Standing;
using FunctionsBackup.Orchestrations.Verification;
using FunctionsBackup.Orchestrations.WalArchiving;
using FunctionsBackup.Repository.Replication;

namespace FunctionsBackup.Orchestrations.Site;

/// <summary>What workflows record in the metrics.</summary>
public sealed class SiteMetrics(TimeProvider time) : IDisposable
{
    public MetricRegistry Registry { get; } = new(BackupMetrics.All);

    public void RecordBackup(string kind, ComponentResult component, BackupResult backup)
    {
        if (component.Outcome == RunOutcome.Superseded) return;
        Registry.Add(BackupMetrics.Total, 1, component.Component, kind, component.Outcome.ToString().ToLowerInvariant());
        Registry.Observe(BackupMetrics.Duration, (backup.CompletedAt - backup.StartedAt).TotalSeconds, component.Component, kind);
        if (component.Outcome != RunOutcome.Complete) return;
        if (component.Anomalies.Count > 0) Registry.Set(BackupMetrics.Suspicious, 1, component.Component); // a look at the repository counts them
        Registry.Set(BackupMetrics.Size, component.LogicalBytes, component.Component, kind);
        Registry.Add(BackupMetrics.StoredBytes, component.StoredBytes, component.Component, kind);
        Registry.Set(BackupMetrics.LastSuccess, Seconds(backup.CompletedAt), component.Component);
    }

    public void RecordVerification(VerificationResult result, IReadOnlyCollection<string> components)
    {
        if (result.Failure is not null) return;
        foreach (var component in components)
        {
            var broken = result.Defects.Any(d => d.BreaksSnapshot
                && (d.Snapshots.Count == 0 || d.Snapshots.Any(s => Repository.Snapshots.SnapshotStore.ComponentOf(s) == component)));
            Registry.Set(BackupMetrics.VerificationStatus, broken ? 0 : 1, component);
            Registry.Set(BackupMetrics.VerificationTime, Seconds(time.GetUtcNow()), component);
        }
    }

    public void RecordRestoreTest(SnapshotTestResult result)
    {
        if (result.Failure is not null) return;
        Registry.Set(BackupMetrics.RestoreTestStatus, result.Passed ? 1 : 0, result.Component);
        if (result.Passed) Registry.Set(BackupMetrics.LastRestoreTest, Seconds(time.GetUtcNow()), result.Component);
    }

    public void RecordWal(string component, WalArchivingStatus status)
    {
        Registry.Set(BackupMetrics.WalLag, status.LagBytes, component);
        if (status.ActualRpoSeconds is { } rpo) Registry.Set(BackupMetrics.ActualRpo, rpo, component);
    }

    /// <summary>What the repository itself says, so that a host that was just started knows it too.</summary>
    public void RecordStanding(ComponentStanding standing)
    {
        Registry.Set(BackupMetrics.Suspicious, standing.Suspicious, standing.Component);
        Registry.Set(BackupMetrics.Well, standing.IsWell ? 1 : 0, standing.Component);
        Registry.Set(BackupMetrics.ObjectiveRpo, standing.Objective.Rpo.TotalSeconds, standing.Component);
        Registry.Set(BackupMetrics.ObjectiveRto, standing.Objective.Rto.TotalSeconds, standing.Component);
        if (standing.Loss is { } loss) Registry.Set(BackupMetrics.ActualRpo, loss.TotalSeconds, standing.Component);
        if (standing.Estimate is { } estimate) Registry.Set(BackupMetrics.PredictedRto, estimate.TotalSeconds, standing.Component);
        if (standing.Newest is not { } newest) return;
        Registry.Set(BackupMetrics.LastSuccess, Seconds(newest.CompletedAt), standing.Component);
        Registry.Set(BackupMetrics.Size, newest.Statistics.LogicalBytes, standing.Component, newest.Kind);
    }

    public void RecordRetention(RetentionResult result) => Registry.Set(BackupMetrics.WaitingBytes, result.WaitingBytes);

    /// <summary>How far a replica is behind.</summary>
    public void RecordReplication(string replica, ReplicaLag lag)
    {
        Registry.Set(BackupMetrics.ReplicaLag, lag.Age(time.GetUtcNow()).TotalSeconds, replica);
        Registry.Set(BackupMetrics.ReplicaMissingObjects, lag.MissingObjects, replica);
        Registry.Set(BackupMetrics.ReplicaMissingBytes, lag.MissingBytes, replica);
        Registry.Set(BackupMetrics.ReplicaMeasured, Seconds(time.GetUtcNow()), replica);
    }

    public void Dispose() => Registry.Dispose();

    private static double Seconds(DateTimeOffset at) => at.ToUnixTimeMilliseconds() / 1000.0;
}
