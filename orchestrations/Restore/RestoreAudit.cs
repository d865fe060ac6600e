using FunctionsBackup.Operations.Audit;
using FunctionsBackup.Orchestrations.Audit;

namespace FunctionsBackup.Orchestrations.Restore;

/// <summary>What the audit log says of a restore: which recovery point went where.</summary>
internal static class RestoreAudit
{
    public static AuditEntry Of(RestoreWork work, RestoreResult result)
    {
        var request = work.Request;
        var facts = new Dictionary<string, string> { ["component"] = request.Component, ["target"] = request.Target };
        if (result.Plan?.Goal is { } goal) facts["goal"] = goal;
        if (request.Include.Count > 0) facts["include"] = string.Join(' ', request.Include);
        if (!request.PlanOnly) facts["files"] = $"{result.Files}";
        if (result.DamagedCount > 0) facts["damaged"] = $"{result.DamagedCount}";
        return new AuditEntry
        {
            Action = request.PlanOnly ? AuditActions.RestorePlan : AuditActions.Restore,
            Outcome = Outcomes.Of(result.Outcome, result.ExitCode),
            Actor = AuditActor.OfRequest(request.RequestedBy),
            Target = result.Plan?.SnapshotId ?? request.Point,
            Instance = work.InstanceId,
            ExitCode = result.ExitCode,
            Error = result.Failure?.Sentence,
            Facts = facts,
        };
    }
}
