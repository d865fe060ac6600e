using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;

namespace FunctionsBackup.Orchestrations.Backup;

/// <summary>What the audit log says of a backup.</summary>
internal static class BackupAudit
{
    public static AuditEntry Of(BackupReport report)
    {
        var result = report.Result;
        var facts = new Dictionary<string, string> { ["kind"] = report.Kind };
        if (result.Verification is { } verification)
        {
            facts["verification"] = verification.Level;
            facts["defects"] = $"{verification.DefectCount}";
        }

        return new AuditEntry
        {
            Action = AuditActions.BackupRun,
            Outcome = Outcomes.Of(result.Outcome, result.ExitCode),
            Actor = AuditActor.OfRequest(report.RequestedBy),
            Target = result.RecoveryPointId,
            Instance = report.InstanceId,
            ExitCode = result.ExitCode,
            Error = result.Components.FirstOrDefault(c => c.Failure is not null)?.Failure?.Sentence ?? result.Verification?.Failure?.Sentence,
            Facts = facts,
            Items =
            [
                .. result.Components.Select(c => new AuditItem(
                    c.Component, c.Outcome.ToString().ToLowerInvariant(), c.SnapshotId ?? c.Failure?.Sentence ?? c.SupersededBy)),
            ],
        };
    }
}
