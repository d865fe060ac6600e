namespace FunctionsBackup.Operations.Audit;

/// <summary>
/// What is recorded. Words of lower-case letters, digits, <c>_</c> and <c>.</c>; the part before the dot is the kind that
/// <see cref="AuditControls"/> maps to controls.
/// </summary>
public static class AuditActions
{
    public const string RepositoryInit = "repository.init";
    public const string RepositoryRepair = "repository.repair";
    public const string RepositoryReplicate = "repository.replicate";

    /// <summary>An object was put back from another copy.</summary>
    public const string RepositoryHeal = "repository.heal";

    public const string BackupRun = "backup.run";
    public const string BackupKeep = "retention.keep";
    public const string BackupUnkeep = "retention.unkeep";
    public const string BackupPrune = "retention.prune";
    public const string Verify = "verification.run";
    public const string Restore = "restore.run";
    public const string RestorePlan = "restore.plan";
    public const string RestoreTest = "restore_test.run";

    public const string KeyAdd = "key.add";
    public const string KeyRemove = "key.remove";
    public const string KeyRotate = "key.rotate";

    /// <summary>A host that only writes was let in, or out.</summary>
    public const string WriterAdd = "key.writer_add";
    public const string WriterRemove = "key.writer_remove";

    /// <summary>What was kept of a data subject was made unreadable; the certificate is in the entry.</summary>
    public const string Erasure = "erasure.run";

    /// <summary>A recovery point was found suspicious.</summary>
    public const string AnomalyFound = "anomaly.found";

    /// <summary>A person decided about a suspicious recovery point.</summary>
    public const string AnomalyDecision = "anomaly.decision";

    public const string ServeStart = "serve.start";
    public const string ServeStop = "serve.stop";
    public const string ApiKeyAdd = "api_key.add";
    public const string ApiKeyRemove = "api_key.remove";

    public const string WorkCancel = "work.cancel";
    public const string WorkSuspend = "work.suspend";
    public const string WorkResume = "work.resume";
    public const string WorkTerminate = "work.terminate";

    public const string AccessDenied = "access.denied";
    public const string ConfigurationChanged = "configuration.changed";

    public const string AuditVerify = "audit.verify";
    public const string AuditExport = "audit.export";
    public const string AuditList = "audit.list";

    /// <summary>Entries that could not be kept: how many, and since when.</summary>
    public const string AuditLost = "audit.lost";
}
