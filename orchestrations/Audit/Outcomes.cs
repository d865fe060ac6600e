using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Instances;

namespace FunctionsBackup.Orchestrations.Audit;

/// <summary>Outcomes of orchestrations as the audit log has them.</summary>
internal static class Outcomes
{
    public static AuditOutcome Of(RunOutcome outcome, int exitCode) => outcome switch
    {
        RunOutcome.Cancelled => AuditOutcome.Cancelled,
        RunOutcome.Failed => AuditOutcome.Failed,
        RunOutcome.Partial => AuditOutcome.Failed,
        _ => AuditOutcomes.OfExitCode(exitCode),
    };
}
