namespace FunctionsBackup.Operations.Metrics;

/// <summary>The metrics of the product: names and labels that dashboards and alerts rely on.</summary>
public static class BackupMetrics
{
    private static readonly string[] Component = ["component"];
    private static readonly string[] Replica = ["replica"];
    private static readonly string[] ComponentKind = ["component", "kind"];
    private static readonly string[] ComponentKindOutcome = ["component", "kind", "outcome"];

    /// <summary>From seconds to half a day.</summary>
    private static readonly double[] Durations = [1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14_400, 43_200];

    public static MetricDefinition Total { get; } =
        new("voice_agent_backup_total", MetricKind.Counter, "Backups of a component that have ended.", ComponentKindOutcome);

    public static MetricDefinition Duration { get; } = new(
        "voice_agent_backup_duration_seconds", MetricKind.Histogram, "Time from the start of a backup to its end.", ComponentKind)
    {
        Buckets = Durations,
    };

    public static MetricDefinition Size { get; } = new(
        "voice_agent_backup_size_bytes", MetricKind.Gauge, "Bytes that a restore of the newest recovery point would write.", ComponentKind);

    public static MetricDefinition StoredBytes { get; } = new(
        "voice_agent_backup_stored_bytes_total", MetricKind.Counter, "Bytes that backups added to the repository.", ComponentKind);

    public static MetricDefinition LastSuccess { get; } = new(
        "voice_agent_backup_last_success_timestamp", MetricKind.Gauge, "When the newest recovery point was complete, seconds since 1970.", Component);

    public static MetricDefinition VerificationStatus { get; } = new(
        "voice_agent_backup_verification_status", MetricKind.Gauge, "Whether the last verification found no damage: 1, or 0.", Component);

    public static MetricDefinition VerificationTime { get; } = new(
        "voice_agent_backup_last_verification_timestamp", MetricKind.Gauge, "When the last verification ended, seconds since 1970.", Component);

    public static MetricDefinition ActualRpo { get; } = new(
        "voice_agent_backup_actual_rpo_seconds", MetricKind.Gauge, "What would be lost if the source were lost now, as a time.", Component);

    public static MetricDefinition PredictedRto { get; } = new(
        "voice_agent_backup_predicted_rto_seconds", MetricKind.Gauge, "Estimated time of a restore of the newest recovery point.", Component);

    public static MetricDefinition ObjectiveRpo { get; } =
        new("voice_agent_backup_objective_rpo_seconds", MetricKind.Gauge, "The longest acceptable loss, as a time.", Component);

    public static MetricDefinition ObjectiveRto { get; } =
        new("voice_agent_backup_objective_rto_seconds", MetricKind.Gauge, "The longest acceptable time until it runs again.", Component);

    public static MetricDefinition Well { get; } = new(
        "voice_agent_backup_well", MetricKind.Gauge, "1 if the component is protected, restorable and within its objectives, else 0.", Component);

    public static MetricDefinition Suspicious { get; } = new(
        "voice_agent_backup_suspicious", MetricKind.Gauge, "Suspicious recovery points on which nobody has decided.", Component);

    public static MetricDefinition LastRestoreTest { get; } = new(
        "voice_agent_backup_last_restore_test_timestamp", MetricKind.Gauge, "When a restore was last proven to work, seconds since 1970.", Component);

    public static MetricDefinition RestoreTestStatus { get; } = new(
        "voice_agent_backup_restore_test_status", MetricKind.Gauge, "Whether the last restore test passed: 1, or 0.", Component);

    public static MetricDefinition UnverifiedBytes { get; } = new(
        "voice_agent_backup_unverified_bytes", MetricKind.Gauge, "Bytes of packs that no verification has read yet.", []);

    public static MetricDefinition WalLag { get; } = new(
        "voice_agent_backup_wal_lag_bytes", MetricKind.Gauge, "Bytes of WAL on the server that the archive has not.", Component);

    public static MetricDefinition WaitingBytes { get; } = new(
        "voice_agent_backup_collection_waiting_bytes", MetricKind.Gauge, "Bytes of marked packs that wait for their grace time.", []);

    public static MetricDefinition AuditWaiting { get; } = new(
        "voice_agent_backup_audit_waiting_entries", MetricKind.Gauge, "Entries of the audit log that wait on this machine for the repository.", []);

    public static MetricDefinition ReplicaLag { get; } = new(
        "voice_agent_backup_replica_lag_seconds", MetricKind.Gauge,
        "Age of the oldest recovery point or WAL segment that the replica lacks; 0: it has all.", Replica);

    public static MetricDefinition ReplicaMissingObjects { get; } = new(
        "voice_agent_backup_replica_missing_objects", MetricKind.Gauge, "Objects of the repository that the replica lacks.", Replica);

    public static MetricDefinition ReplicaMissingBytes { get; } = new(
        "voice_agent_backup_replica_missing_bytes", MetricKind.Gauge, "Bytes of the repository that the replica lacks.", Replica);

    public static MetricDefinition ReplicaMeasured { get; } = new(
        "voice_agent_backup_replica_last_contact_timestamp", MetricKind.Gauge,
        "When the replica was last reached and compared, seconds since 1970.", Replica);

    /// <summary>All of them, in the order in which they are shown.</summary>
    public static IReadOnlyList<MetricDefinition> All { get; } =
    [
        Total, Duration, Size, StoredBytes, LastSuccess, VerificationStatus, VerificationTime, ActualRpo, PredictedRto, ObjectiveRpo,
        ObjectiveRto, Well, Suspicious, LastRestoreTest, RestoreTestStatus, UnverifiedBytes, WalLag, WaitingBytes, AuditWaiting,
        ReplicaLag, ReplicaMissingObjects, ReplicaMissingBytes, ReplicaMeasured,
    ];
}
